import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { releaseFreeMemory } from "./allocator.ts";

/** A process that computed less than this part of the time since the last look is as good as idle. */
const IDLE_SHARE = 0.05;
/** Computing time since memory was returned that has made garbage worth collecting. */
const WORTH_COLLECTING_US = 100_000;
/** How often memory is returned while a light load goes on and never ends. */
const LIGHT_LOAD_MS = 60_000;

export interface IdleMemoryOptions {
  /** How often the process looks whether it is idle. Default 5 000. */
  readonly intervalMs?: number;
}

/**
 * Returns the memory that this process does not use whenever it has become idle: garbage of V8, its empty pages, and
 * what is free inside glibc's heaps. Call it once, first thing in a program file.
 *
 * It stops the process for some 100 ms, so it is done when the load has fallen to half, and once a minute while a light one goes on.
 * V8 by itself never looks at a process that allocates nothing, and glibc returns only the end of a heap.
 */
export function returnMemoryWhenIdle({ intervalMs = 5_000 }: IdleMemoryOptions = {}): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as NodeJS.GCFunction;
  let cpu = process.cpuUsage();
  let computedUs = 0;
  let since = performance.now();
  const lookAround = (): void => {
    const { user, system } = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    computedUs += user + system;
    const share = (user + system) / (intervalMs * 1000);
    if (share >= IDLE_SHARE || computedUs < WORTH_COLLECTING_US) return;
    const elapsedMs = performance.now() - since;
    const isWorkOver = share <= computedUs / (elapsedMs * 1000) / 2;
    if (!isWorkOver && elapsedMs < LIGHT_LOAD_MS) return;
    // The regular flavor keeps emptied pages for later.
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
    releaseFreeMemory();
    computedUs = 0;
    since = performance.now();
    cpu = process.cpuUsage();
  };
  setInterval(lookAround, intervalMs).unref();
}
