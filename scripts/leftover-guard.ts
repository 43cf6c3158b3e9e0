import { setTimeout as sleep } from "node:timers/promises";
import { leftoversOfAnybody, machineState } from "../test/e2e/src/stage/machine.ts";

const SETTLE_MS = 15_000;

/**
 * Looks at the machine before the system tests and again after the last one. Whatever is new then was left by a test, and
 * a leftover is a bug in its clean-up, so it fails the run.
 */
export default async function guardAgainstLeftovers(): Promise<() => Promise<void>> {
  const before = await machineState();
  return async () => {
    let left = leftoversOfAnybody(before, await machineState());
    // The kernel takes namespaces down in its own time.
    for (
      const end = Date.now() + SETTLE_MS;
      Object.keys(left).length > 0 && Date.now() < end;
      await sleep(250)
    )
      left = leftoversOfAnybody(before, await machineState());
    if (Object.keys(left).length > 0)
      throw new Error(`the tests left something on this machine: ${JSON.stringify(left, undefined, 2)}`);
  };
}
