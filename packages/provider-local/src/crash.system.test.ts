import { fileURLToPath } from "node:url";
import type { Instance } from "@peerpods/cloud-providers";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { until } from "./host/until.ts";
import { noTraces } from "./testing/host-traces.ts";
import type { OtherProcessOrder } from "./testing/other-process.ts";
import { askVm, openTestBed, testCall, testRequest, type TestBed } from "./testing/test-bed.ts";

const isRoot = process.geteuid?.() === 0;
const program = fileURLToPath(new URL("testing/other-process.ts", import.meta.url));

/** All steps of a creation, in order. */
const steps = [
  "record",
  "files",
  "image",
  "cgroup",
  "address",
  "launch",
  "connect",
  "connected",
  "running",
  "done",
];

async function inOtherProcess(
  bed: TestBed,
  order: Omit<OtherProcessOrder, "stateDirectory" | "config">,
): Promise<unknown> {
  const argument = JSON.stringify({ ...order, stateDirectory: bed.stateDirectory, config: bed.config });
  const { stdout } = await execa(process.execPath, ["--conditions=@peerpods/source", program, argument]);
  return JSON.parse(stdout);
}

describe.skipIf(!isRoot)("several processes (need root)", () => {
  test("a VM outlives its maker and is found by tag, address and all", async () => {
    await using bed = await openTestBed();
    const request = testRequest("outlive");
    const made = (await inOtherProcess(bed, { act: "create", request })) as Instance;
    expect(await askVm(made.addresses[0] ?? "", "hostname")).toBe(request.name);
    const expected = { ...made, state: "running", tags: request.tags };
    expect(await bed.provider.listInstances({ test: "yes" }, testCall())).toMatchObject([expected]);
    expect(await inOtherProcess(bed, { act: "list", request })).toMatchObject([expected]);
    expect(await bed.provider.createInstance(request, testCall())).toEqual(made);
    await inOtherProcess(bed, { act: "delete", request });
    expect(await bed.traces()).toEqual(noTraces);
  });

  test.each(steps)("killed at step %s: deleting by token leaves nothing", async (dieAt) => {
    await using bed = await openTestBed();
    const request = testRequest("killed");
    await expect(inOtherProcess(bed, { act: "create", request, dieAt })).rejects.toMatchObject({
      signal: "SIGKILL",
    });
    await bed.provider.deleteInstance({ token: "killed", tags: {} }, testCall());
    expect(await bed.traces()).toEqual(noTraces);
  });

  test.each([1, 4, 8, 15, 25, 35, 45, 55, 65, 80])(
    "killed %i ms after it began with the machine: deleting by token leaves nothing",
    async (dieAfterMs) => {
      await using bed = await openTestBed();
      const request = testRequest("timed");
      // On a fast machine the creation may be done before; then there is a whole VM to delete.
      await Promise.allSettled([
        inOtherProcess(bed, { act: "create", request, dieAt: "cgroup", dieAfterMs }),
      ]);
      expect((await bed.traces()).files).not.toEqual([]);
      await bed.provider.deleteInstance({ token: "timed", tags: {} }, testCall());
      expect(await bed.traces()).toEqual(noTraces);
    },
  );

  test.each(["record", "cgroup", "launch", "connect", "connected", "running"])(
    "killed at step %s: the same token makes a VM that works",
    async (dieAt) => {
      await using bed = await openTestBed();
      const request = testRequest("again");
      await expect(inOtherProcess(bed, { act: "create", request, dieAt })).rejects.toMatchObject({
        signal: "SIGKILL",
      });
      const { addresses } = await bed.provider.createInstance(request, testCall());
      expect(await askVm(addresses[0] ?? "", "hostname")).toBe(request.name);
      await bed.provider.deleteInstance({ token: "again", tags: {} }, testCall());
      expect(await bed.traces()).toEqual(noTraces);
    },
  );

  test("an unfinished VM ends by itself when its maker dies", async () => {
    await using bed = await openTestBed();
    const request = testRequest("orphan");
    await expect(inOtherProcess(bed, { act: "create", request, dieAt: "connected" })).rejects.toMatchObject({
      signal: "SIGKILL",
    });
    await until(async () => (await bed.traces()).processes.length === 0, {
      what: "the VM's processes end",
      timeoutMs: 5000,
    });
    expect(await bed.provider.listInstances({}, testCall())).toMatchObject([{ state: "pending" }]);
    await bed.provider.deleteInstance({ token: "orphan", tags: {} }, testCall());
    expect(await bed.traces()).toEqual(noTraces);
  });

  test("two processes with the same token at once get the same VM", async () => {
    await using bed = await openTestBed();
    const request = testRequest("race");
    const results = await Promise.all([
      inOtherProcess(bed, { act: "create", request }),
      inOtherProcess(bed, { act: "create", request }),
      bed.provider.createInstance(request, testCall()),
    ]);
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
    await bed.provider.deleteInstance({ token: "race", tags: {} }, testCall());
    expect(await bed.traces()).toEqual(noTraces);
  });
});

describe.skipIf(!isRoot)("aborted calls (need root)", () => {
  test.each(steps.slice(0, -1))("at step %s: rejected with the reason, nothing is left", async (step) => {
    await using bed = await openTestBed();
    const controller = new AbortController();
    const reason = new Error("the caller has gone");
    const logger = {
      ...testCall().logger,
      debug: (fields: object) => {
        if ("step" in fields && fields.step === step) controller.abort(reason);
      },
    };
    const call = testCall({ signal: controller.signal, logger });
    await expect(bed.provider.createInstance(testRequest("gone"), call)).rejects.toBe(reason);
    expect(await bed.traces()).toEqual(noTraces);
  });

  test("before it begins, and by a deadline that has passed", async () => {
    await using bed = await openTestBed();
    const call = testCall({ signal: AbortSignal.abort(new Error("too late")) });
    await expect(bed.provider.createInstance(testRequest("late"), call)).rejects.toThrow("too late");
    await expect(bed.provider.deleteInstance({ token: "late", tags: {} }, call)).rejects.toThrow("too late");
    expect(await bed.traces()).toEqual(noTraces);
  });

  test("a boot that takes too long is a timeout and leaves nothing", async () => {
    await using bed = await openTestBed({ "local-boot-timeout": 5 });
    await expect(bed.provider.createInstance(testRequest("slow"), testCall())).rejects.toMatchObject({
      code: "timeout",
    });
    expect(await bed.traces()).toEqual(noTraces);
  });
});
