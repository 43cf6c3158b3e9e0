import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { testRequest } from "../testing/test-bed.ts";
import { namesOfReference } from "./delete.ts";
import { namesOfId, namesOfToken, stateKey } from "./identity.ts";
import { readRecord, removeDirectory, writeRecord, type InstanceRecord } from "./record.ts";
import { checkRequest, fingerprintOf, limitsOf } from "./request.ts";

const key = stateKey("/var/lib/peerpods");

describe("identity", () => {
  test("all names follow from the token, and again from the id; link names are short enough", () => {
    const names = namesOfToken(key, "4ef7f83b-abc-a1");
    expect(namesOfId(key, names.id)).toEqual(names);
    expect(names.port.length).toBeLessThanOrEqual(15);
    expect(namesOfToken(key, "4ef7f83b-abc-a2").port).not.toBe(names.port);
    expect(namesOfToken(stateKey("/elsewhere"), "4ef7f83b-abc-a1").id).not.toBe(names.id);
  });

  test.each([
    ["an instance of another provider", { instanceId: "i-0123456789abcdef0" }],
    ["one of another state directory", { instanceId: "local-ffffff0123456789" }],
    ["a path", { instanceId: "../../etc" }],
    ["a shell command", { instanceId: "local-0123456789abcdef;reboot" }],
    ["nothing", {}],
    ["empty words", { instanceId: "", token: "" }],
    ["a token with capitals", { token: "ABC" }],
    ["id and token of different instances", { instanceId: namesOfToken(key, "a").id, token: "b" }],
  ])("%s is refused", (_, request) => {
    expect(() => namesOfReference(key, request)).toThrow(
      expect.objectContaining({ code: "invalid_request" }),
    );
  });
});

describe("request", () => {
  test("what local cannot give is refused, all of it in one message", () => {
    const spec = {
      ...testRequest("x").spec,
      instanceType: "m5.large",
      image: "ami-1",
      gpus: 1,
      arch: "vax",
    };
    const bad = testRequest("x", { spec });
    for (const word of ["m5.large", "ami-1", "GPU", "vax"]) expect(() => checkRequest(bad)).toThrow(word);
    for (const change of [{ multiNic: true }, { spot: true }, { volumes: [{ diskId: "d" }] }, { vcpus: -1 }])
      expect(() => checkRequest(testRequest("x", { spec: { ...testRequest("x").spec, ...change } }))).toThrow(
        expect.objectContaining({ code: "invalid_request" }),
      );
    expect(() => checkRequest(testRequest("x"))).not.toThrow();
  });

  test("user data has a limit", () => {
    const userData = "x".repeat(256 * 1024);
    expect(() => checkRequest(testRequest("x", { userData }))).not.toThrow();
    expect(() => checkRequest(testRequest("x", { userData: `${userData}x` }))).toThrow(/262145 bytes/);
  });

  test("a fingerprint does not depend on the order of keys, and on everything else", () => {
    const request = testRequest("x", { tags: { a: "1", b: "2" } });
    const reordered = Object.fromEntries(
      Object.entries({ ...request, tags: { b: "2", a: "1" } }).toReversed(),
    );
    expect(fingerprintOf(reordered as unknown as typeof request)).toBe(fingerprintOf(request));
    for (const change of [{ userData: "y" }, { tags: {} }, { spec: { ...request.spec, vcpus: 1 } }])
      expect(fingerprintOf({ ...request, ...change })).not.toBe(fingerprintOf(request));
  });

  test("limits: the pod's wish wins over the option", () => {
    const config = { vcpus: 2, memoryMiB: 2048, pidsLimit: 10 } as Parameters<typeof limitsOf>[1];
    const spec = { ...testRequest("x").spec, memoryMiB: 512 };
    expect(limitsOf(spec, config)).toEqual({ vcpus: 2, memoryMiB: 512, pids: 10 });
  });
});

describe("record", () => {
  let directory: string;
  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), "record-")), "instance");
  });
  afterEach(() => rm(join(directory, ".."), { recursive: true }));

  const record: InstanceRecord = {
    version: 1,
    id: "local-0123456789abcdef",
    token: "t",
    fingerprint: "f",
    phase: "running",
    name: "podvm-x",
    tags: { a: "b" },
    createdAt: 1,
    vm: { address: "10.1.1.2", init: { pid: 1, startTicks: 2, bootId: "b" } },
  };

  test("what was written is read, and replaced as a whole", async () => {
    expect(await readRecord(directory)).toBeUndefined();
    await writeRecord(directory, record);
    await writeRecord(directory, { ...record, phase: "deleting" });
    expect(await readRecord(directory)).toEqual({ ...record, phase: "deleting" });
    expect(await readdir(directory)).toEqual(["record.json"]);
  });

  test.each([
    ["cut off", '{"version":1,'],
    ["another version", JSON.stringify({ ...record, version: 2 })],
    ["an unknown key", JSON.stringify({ ...record, extra: 1 })],
    ["an address that is none", JSON.stringify({ ...record, vm: { ...record.vm, address: "x; reboot" } })],
    ["endless", `"${"x".repeat(300_000)}"`],
  ])("a damaged one is named with the remedy: %s", async (_, text) => {
    await mkdir(directory);
    await writeFile(join(directory, "record.json"), text);
    await expect(readRecord(directory)).rejects.toMatchObject({
      code: "internal",
      message: expect.stringContaining("record.json"),
    });
  });

  test("a directory is removed with everything in it, and again", async () => {
    await writeRecord(directory, record);
    await mkdir(join(directory, "upper/deep"), { recursive: true });
    await removeDirectory(directory);
    await removeDirectory(directory);
    expect(await readdir(join(directory, ".."))).toEqual([]);
  });
});
