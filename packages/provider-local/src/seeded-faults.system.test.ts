import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "@peerpods/cloud-providers";
import { runSeededFaults, seededRunCount } from "@peerpods/cloud-providers/conformance";
import { describe, expect, test } from "vitest";
import { noTraces } from "./testing/host-traces.ts";
import { createLocalTarget } from "./testing/local-target.ts";

const isRoot = process.geteuid?.() === 0;
const runs = seededRunCount(15);

/** So many times faster than the machine's, so that deadlines of up to a minute end calls at any point of a boot. */
const HASTE = 100;

const hastyClock: Clock = {
  now: () => Math.round(performance.now() * HASTE),
  sleep: (ms, { signal } = {}) => wait(ms / HASTE, undefined, signal === undefined ? {} : { signal }),
};

describe.skipIf(!isRoot)(
  `random lives of pod VMs on this machine${isRoot ? "" : " (they need root)"}`,
  () => {
    test(`${runs} of them leave nothing`, { timeout: 3_600_000 }, async ({ signal }) => {
      await using local = await createLocalTarget({ clock: hastyClock });
      // What is not to end early gets a minute of the machine's time.
      const target = { ...local.target, callTimeoutMs: 60_000 * HASTE };
      expect(await runSeededFaults(target, { runs, seed: 5, signal })).toEqual({ done: runs, failures: [] });
      expect(await local.bed.traces()).toEqual(noTraces);
    });
  },
);
