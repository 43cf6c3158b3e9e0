import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CreateContainerRequestSchema } from "@peerpods/kata-protocols/agent";
import { SpecSchema } from "@peerpods/kata-protocols/oci";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { prepareContainer } from "./create-container.ts";

const context = {
  podNetns: "/run/netns/podns",
  volumes: { attach: async () => undefined, detachAll: async () => undefined },
  logger: pino({ level: "silent" }),
};
const { signal } = new AbortController();
const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ""), "hex");
const prepare = async (payload: Uint8Array) =>
  Buffer.from(await prepareContainer(payload, context, { signal }));

/** LinuxNamespace { Type "network" (1), Path "/run/netns/podns" (2) } */
const namespace = "0a07 6e6574776f726b 1210 2f72756e2f6e65746e732f706f646e73";

describe("the bytes of a changed request", () => {
  it("add the namespace at its place (OCI 6, Linux 8, Namespaces 6)", async () => {
    // container_id (1) "c1", OCI (6) { Linux (8) {} }
    const before = hex("0a02 6331 3202 4200");
    expect(await prepare(before)).toEqual(hex(`0a02 6331 321f 421d 321b ${namespace}`));
  });

  it("keep fields that nobody here knows, in the request, the spec and its Linux part", async () => {
    const unknown = "f23e 0378797a"; // field 1006, "xyz"
    const before = hex(`0a02 6331 320e 4206 ${unknown} ${unknown} ${unknown}`);
    const after = await prepare(before);
    expect(after.toString("hex").split(unknown.replaceAll(" ", ""))).toHaveLength(4);
    expect(fromBinary(CreateContainerRequestSchema, after).OCI?.Linux?.Namespaces).toHaveLength(1);
  });

  it("keep everything else as it was", async () => {
    const request = create(CreateContainerRequestSchema, {
      containerId: "c1",
      sandboxPidns: true,
      storages: [{ driver: "local", mountPoint: "/run/kata-containers/x" }],
      OCI: {
        Version: "1.2.1",
        Annotations: { "io.kubernetes.cri.container-type": "container" },
        Mounts: [{ type: "bind", source: "/proc", destination: "/p", options: ["ro"] }],
        Linux: { Namespaces: [{ Type: "mount", Path: "" }], CgroupsPath: "/a" },
      },
    });
    const after = fromBinary(
      CreateContainerRequestSchema,
      await prepare(toBinary(CreateContainerRequestSchema, request)),
    );
    expect(after.OCI?.Linux?.Namespaces.pop()).toMatchObject({ Type: "network", Path: "/run/netns/podns" });
    expect(toBinary(CreateContainerRequestSchema, after)).toEqual(
      toBinary(CreateContainerRequestSchema, request),
    );
  });
});

it.each([
  ["bytes that are no message", hex("ff"), 13],
  ["no spec", hex("0a02 6331"), 3],
])("refuses %s", async (_what, payload, code) => {
  await expect(prepareContainer(payload, context, { signal })).rejects.toMatchObject({ code });
});

it("waits only for target paths that a mount has as its source", async () => {
  const specOf = (source: string) =>
    toBinary(
      CreateContainerRequestSchema,
      create(CreateContainerRequestSchema, {
        OCI: create(SpecSchema, {
          Annotations: {
            "io.confidentialcontainers.org.peerpodvolumes.target_path": ", /proc ,/never/mounted",
          },
          Mounts: [{ type: "local", source, destination: "/d" }],
        }),
      }),
    );
  await prepare(specOf("/elsewhere"));
  await prepare(specOf("/proc"));
  const waiting = prepareContainer(specOf("/never/mounted"), context, { signal: AbortSignal.timeout(30) });
  await expect(waiting).rejects.toMatchObject({ name: "TimeoutError" });
});
