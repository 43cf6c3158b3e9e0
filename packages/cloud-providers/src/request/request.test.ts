import { describe, expect, it } from "vitest";
import type { CreateInstanceRequest, InstanceSpec } from "../contract.ts";
import { checkCreateRequest, checkInstanceReference } from "./check-request.ts";
import { createKeyedLock } from "./keyed-lock.ts";

const refused = expect.objectContaining({ code: "invalid_request" }) as Error;
const spec: InstanceSpec = {
  instanceType: "",
  vcpus: 0,
  memoryMiB: 0,
  gpus: 0,
  arch: "",
  image: "",
  multiNic: false,
  volumes: [],
};
const request: CreateInstanceRequest = {
  token: "t-1",
  name: "podvm-web-0-4ef7f83b",
  sandboxId: "4ef7f83b",
  podName: "web-0",
  podNamespace: "default",
  userData: "#cloud-config\n",
  spec,
  tags: {},
};

describe("checkCreateRequest", () => {
  it("takes what the provider can do", () => {
    const asked = { ...spec, multiNic: true, spot: true, volumes: [{ diskId: "vol-1" }] };
    checkCreateRequest({ ...request, spec: asked }, { abilities: ["multiNic", "spot", "volumes"] });
  });

  it.each([
    ["a name that is too long", { name: "a".repeat(64) }],
    ["a name with capitals", { name: "Web" }],
    ["a malformed token", { token: "a b" }],
    ["a negative number", { spec: { ...spec, vcpus: -1 } }],
    ["a fraction", { spec: { ...spec, memoryMiB: 0.5 } }],
    ["volumes", { spec: { ...spec, volumes: [{ diskId: "vol-1" }] } }],
    ["a second interface", { spec: { ...spec, multiNic: true } }],
    ["a spot machine", { spec: { ...spec, spot: true } }],
  ])("refuses %s", (_what, change) => {
    expect(() => checkCreateRequest({ ...request, ...change }, { abilities: [] })).toThrow(refused);
  });

  it("reports everything at once", () => {
    expect(() =>
      checkCreateRequest({ ...request, name: "", spec: { ...spec, gpus: Number.NaN } }, { abilities: [] }),
    ).toThrow(/name "".*\ngpus NaN/);
  });
});

describe("checkInstanceReference", () => {
  const form = /^i-[0-9a-f]{12}$/;

  it.each([
    { instanceId: "i-0123456789ab" },
    { token: "t-1" },
    { instanceId: "", token: "t-1" },
    { instanceId: "i-0123456789ab", token: "" },
  ])("takes %j", (reference) => {
    checkInstanceReference(reference, form);
  });

  it.each([
    {},
    { instanceId: "" },
    { instanceId: "", token: "" },
    { instanceId: "i-0123456789ab; rm -rf /" },
    { instanceId: "../i-0123456789ab" },
    { instanceId: "i-0123456789ab\n" },
    { instanceId: "i-0123456789ab", token: "T" },
  ])("refuses %j", (reference) => {
    expect(() => checkInstanceReference(reference, form)).toThrow(refused);
  });
});

describe("createKeyedLock", () => {
  const { signal } = new AbortController();

  it("lets one in for each key, in order", async () => {
    const lock = createKeyedLock();
    const log: string[] = [];
    const first = await lock.acquire("a", signal);
    const others = ["2", "3"].map(async (name) => {
      using _held = await lock.acquire("a", signal);
      log.push(`${name} in`);
      await Promise.resolve();
      log.push(`${name} out`);
    });
    using _other = await lock.acquire("b", signal);
    expect(log).toEqual([]);
    first[Symbol.dispose]();
    await Promise.all(others);
    expect(log).toEqual(["2 in", "2 out", "3 in", "3 out"]);
  });

  it("does not wait for one that gave up", async () => {
    const lock = createKeyedLock();
    const controller = new AbortController();
    const first = await lock.acquire("a", signal);
    const gone = lock.acquire("a", controller.signal).catch((error: unknown) => error);
    const last = lock.acquire("a", signal);
    controller.abort(new Error("gone"));
    expect(await gone).toBe(controller.signal.reason);
    first[Symbol.dispose]();
    (await last)[Symbol.dispose]();
  });
});
