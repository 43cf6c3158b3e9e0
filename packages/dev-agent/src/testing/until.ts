import type { ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

/** Waits for a condition by looking again and again, at most 20 s. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  vm?: ChildProcess,
): Promise<void> {
  for (const giveUp = performance.now() + 20_000; performance.now() < giveUp; await delay(10)) {
    if (await condition()) return;
    if (vm?.exitCode !== undefined && vm.exitCode !== null) break;
  }
  throw new Error(`waited in vain for ${typeof what === "string" ? what : what()}`);
}
