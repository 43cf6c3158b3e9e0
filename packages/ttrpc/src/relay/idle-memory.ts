import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { releaseFreeMemory } from "./allocator.ts";

/** Shares of the time since the last look that a process computed: it worked, it is quiet, it is as good as idle. */
const WORK_SHARE = 0.02;
const QUIET_SHARE = 0.01;
const IDLE_SHARE = 0.05;
/** Computing time since the last collection that has made garbage worth collecting, also under a light load. */
const WORTH_COLLECTING_US = 1_000_000;

export interface IdleMemoryOptions {
  /** How often the process looks whether it is idle. Default 5 000. */
  readonly intervalMs?: number;
}

/**
 * Returns the memory that this process does not use whenever it has become idle: garbage of V8, its empty pages, and
 * what is free inside glibc's heaps. Call it once, first thing in a program file.
 *
 * It stops the process for some 100 ms, so it is done once after each time of work, and seldom while a light load goes on.
 * V8 by itself never looks at a process that allocates nothing, and glibc returns only the end of a heap.
 */
export function returnMemoryWhenIdle({ intervalMs = 5_000 }: IdleMemoryOptions = {}): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as NodeJS.GCFunction;
  let cpu = process.cpuUsage();
  let computedUs = 0;
  let hasWorked = false;
  const lookAround = (): void => {
    const { user, system } = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    const share = (user + system) / (intervalMs * 1000);
    computedUs += user + system;
    hasWorked ||= share >= WORK_SHARE;
    const isWorkOver = hasWorked && share < QUIET_SHARE;
    const isIdle = share < IDLE_SHARE && computedUs >= WORTH_COLLECTING_US;
    if (!isWorkOver && !isIdle) return;
    // The regular flavor keeps emptied pages for later.
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
    releaseFreeMemory();
    computedUs = 0;
    hasWorked = false;
    cpu = process.cpuUsage();
  };
  setInterval(lookAround, intervalMs).unref();
}
