import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { CreateContainerRequestSchema } from "@peerpods/kata-protocols/agent";
import { describe, expect, it, onTestFinished } from "vitest";
import { editCreateContainer } from "./create-container.ts";
import { createDirectVolumeFacts } from "./direct-volumes.ts";

const wait = { signal: new AbortController().signal };
const GPUS = "io.katacontainers.config.hypervisor.default_gpus";
const CDI = "cdi.k8s.io/peer-pods";
const TARGET_PATH = "io.confidentialcontainers.org.peerpodvolumes.target_path";
const volume = (name: string): string => `/var/lib/kubelet/pods/uid/volumes/kubernetes.io~csi/${name}/mount`;

const serialize = (init: MessageInitShape<typeof CreateContainerRequestSchema>): Uint8Array =>
  toBinary(CreateContainerRequestSchema, create(CreateContainerRequestSchema, init));

const withVolumes = (...sources: readonly string[]) => ({
  isDirectVolume: (source: string) => Promise.resolve(sources.includes(source)),
});

async function annotationsAfter(payload: Uint8Array, facts = withVolumes()) {
  const edited = await editCreateContainer(payload, facts, wait);
  return fromBinary(CreateContainerRequestSchema, edited).OCI?.Annotations;
}

describe("CreateContainer on the node", () => {
  it.each(["1", "0"])("default_gpus %j asks for the GPUs of the VM", async (gpus) => {
    const payload = serialize({ containerId: "c", OCI: { Annotations: { [GPUS]: gpus, kept: "yes" } } });
    expect(await annotationsAfter(payload)).toEqual({
      [GPUS]: gpus,
      kept: "yes",
      [CDI]: "nvidia.com/gpu=all",
    });
  });

  it.each([
    ["no OCI spec", serialize({ containerId: "c" })],
    ["an empty annotation", serialize({ OCI: { Annotations: { [GPUS]: "" } } })],
    ["an ordinary mount", serialize({ OCI: { Mounts: [{ source: "/etc/hosts" }] } })],
    ["a CSI mount that is not a direct volume", serialize({ OCI: { Mounts: [{ source: volume("a") }] } })],
    ["an empty request", new Uint8Array()],
  ])("%s changes nothing, byte for byte", async (_name, payload) => {
    expect(await editCreateContainer(payload, withVolumes(), wait)).toBe(payload);
  });

  it("names the mounts that are volumes of the VM, in their order and once", async () => {
    const payload = serialize({
      OCI: {
        Mounts: [{ source: "/etc/hosts" }, ...["b", "a", "b", "c"].map((name) => ({ source: volume(name) }))],
      },
    });
    expect(await annotationsAfter(payload, withVolumes(volume("a"), volume("b")))).toEqual({
      [TARGET_PATH]: `${volume("b")},${volume("a")}`,
    });
  });

  it("asks only about CSI paths, also after cleaning", async () => {
    const asked: string[] = [];
    const facts = { isDirectVolume: (source: string) => Promise.resolve(asked.push(source) > 0) };
    const dotted = "/x/volumes/./kubernetes.io~csi//v";
    await annotationsAfter(
      serialize({
        OCI: { Mounts: [{ source: "/x/volumes/kubernetes.io~csi/../../y" }, { source: dotted }] },
      }),
      facts,
    );
    expect(asked).toEqual([dotted]);
  });

  it("keeps fields this version does not know", async () => {
    const unknown = Buffer.from([0xa2, 0x06, 0x03, 0x6e, 0x65, 0x77]); // field 100, "new"
    const payload = Buffer.concat([serialize({ OCI: { Annotations: { [GPUS]: "1" } } }), unknown]);
    const edited = Buffer.from(await editCreateContainer(payload, withVolumes(), wait));
    expect(edited.includes(unknown)).toBe(true);
  });

  it("bytes that are no request are refused, not passed on", async () => {
    await expect(editCreateContainer(Buffer.from([0x0a, 0xff]), withVolumes(), wait)).rejects.toMatchObject({
      name: "ConnectError",
      rawMessage: expect.stringContaining("cannot be decoded"),
    });
  });
});

describe("direct volumes", () => {
  async function directory(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), "direct-volumes-"));
    onTestFinished(() => rm(path, { recursive: true, force: true }));
    return path;
  }

  it("are directories named after the source, in padded URL-safe base64", async () => {
    const path = await directory();
    const source = `${volume("a")}?>`; // gives `_`, `-` and padding
    const name = Buffer.from(source).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
    expect(name).toMatch(/[-_].*=$/);
    await mkdir(join(path, name));
    await writeFile(join(path, Buffer.from("/file").toString("base64url")), "");
    const facts = createDirectVolumeFacts(path);
    expect(await facts.isDirectVolume(source, wait)).toBe(true);
    expect(await facts.isDirectVolume(volume("b"), wait)).toBe(false);
    expect(await facts.isDirectVolume("/file", wait)).toBe(false);
    expect(await facts.isDirectVolume("x".repeat(500), wait)).toBe(false);
  });

  it("a missing directory holds none", async () => {
    const facts = createDirectVolumeFacts(join(await directory(), "missing"));
    expect(await facts.isDirectVolume(volume("a"), wait)).toBe(false);
  });
});
