import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@peerpods/cloud-providers";
import type { ConsoleLog, ConsoleLogs, Provider } from "@peerpods/cloud-providers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SandboxRecord } from "../sandbox/record.ts";
import { createRequest, patient, sandboxId, World } from "../sandbox/testing/world.ts";
import { openFailedStarts } from "./failed-starts.ts";

let directory: string;
let world: World;

beforeEach(async () => {
  world = new World();
  directory = join(await mkdtemp(join(tmpdir(), "ppf-")), "failed-starts");
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await rm(join(directory, ".."), { recursive: true, force: true });
});

/** The fake cloud, whose instances also have logs as long as they exist. */
function withLogs(logs: readonly ConsoleLog[]): Provider & ConsoleLogs {
  const { cloud } = world;
  return {
    placements: (spec: never, call: never) => cloud.placements(spec, call),
    createInstance: (request, call) => cloud.createInstance(request, call),
    deleteInstance: (request, call) => cloud.deleteInstance(request, call),
    configVerifier: () => cloud.configVerifier(),
    teardown: () => cloud.teardown(),
    consoleLogs: async ({ token }) => (cloud.requests.some((one) => one.token === token) ? logs : []),
  } as Provider & ConsoleLogs;
}

const failToOpen = async (call: string): Promise<void> => {
  if (call === "open") throw new Error("the forwarder does not answer");
};

const record = (id: string, endingMs: number): SandboxRecord =>
  ({
    sandboxId: id,
    podName: `pod-${id}`,
    podNamespace: "default",
    attempts: [],
    reason: "it did not work",
    times: { createdMs: 1, endingMs },
  }) as unknown as SandboxRecord;

describe("failed starts", () => {
  it("are kept with the guest's logs before the instance is deleted", async () => {
    const logs = [{ name: "console", text: "kernel panic\n", truncated: false }];
    const provider = withLogs(logs);
    const failedStarts = await openFailedStarts(directory, { provider, logger: silentLogger });
    world.provider = provider;
    world.failedStarts = failedStarts;
    const daemon = await world.daemon();
    world.relay.before = failToOpen;
    await daemon.create(createRequest(), patient);
    await expect(daemon.start(sandboxId, patient)).rejects.toMatchObject({ code: "start_failed" });
    await daemon.waitUntil(() => (daemon.list().length === 0 ? true : undefined), patient);
    expect(world.leftovers()).toEqual({});
    expect(await failedStarts.list()).toEqual([
      expect.objectContaining({
        sandboxId,
        podName: "web",
        reason: expect.stringContaining("the forwarder does not answer"),
        logs,
      }),
    ]);
    const [file = ""] = await readdir(directory);
    expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600);
  });

  it("are not kept for a pod that ran and was stopped", async () => {
    const provider = withLogs([]);
    const failedStarts = await openFailedStarts(directory, { provider, logger: silentLogger });
    world.provider = provider;
    world.failedStarts = failedStarts;
    const daemon = await world.daemon();
    await daemon.create(createRequest(), patient);
    await daemon.start(sandboxId, patient);
    await daemon.stop(sandboxId);
    await daemon.waitUntil(() => (daemon.list().length === 0 ? true : undefined), patient);
    expect(await failedStarts.list()).toEqual([]);
  });

  it("are the latest twenty", async () => {
    const failedStarts = await openFailedStarts(directory, { provider: world.cloud, logger: silentLogger });
    for (let index = 0; index < 25; index += 1) await failedStarts.keep(record(`s${index}`, index), patient);
    const ids = (await failedStarts.list()).map((start) => start.sandboxId);
    expect(ids).toHaveLength(20);
    expect(ids).not.toContain("s4");
    expect(ids).toContain("s24");
  });

  it("are kept once, since a later look may find no instance any more", async () => {
    const failedStarts = await openFailedStarts(directory, { provider: world.cloud, logger: silentLogger });
    await failedStarts.keep(record("one", 1), patient);
    await failedStarts.keep({ ...record("one", 2), reason: "later" }, patient);
    expect(await failedStarts.list()).toMatchObject([{ reason: "it did not work", atMs: 1 }]);
  });

  it("do not hold up the removal when they cannot be kept", async () => {
    const provider = withLogs([]);
    const failedStarts = { keep: () => Promise.reject(new Error("disk full")) };
    world.provider = provider;
    world.failedStarts = failedStarts;
    const daemon = await world.daemon();
    world.relay.before = failToOpen;
    await daemon.create(createRequest(), patient);
    await expect(daemon.start(sandboxId, patient)).rejects.toMatchObject({ code: "start_failed" });
    await daemon.waitUntil(() => (daemon.list().length === 0 ? true : undefined), patient);
    expect(world.leftovers()).toEqual({});
  });

  it("that cannot be read are left out", async () => {
    const failedStarts = await openFailedStarts(directory, { provider: world.cloud, logger: silentLogger });
    await failedStarts.keep(record("good", 1), patient);
    await writeFile(join(directory, "bad.json"), "{");
    await writeFile(join(directory, "big.json"), Buffer.alloc(9 * 1024 * 1024));
    await chmod(join(directory, "bad.json"), 0o600);
    expect((await failedStarts.list()).map((start) => start.sandboxId)).toEqual(["good"]);
  });
});
