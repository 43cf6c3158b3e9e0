/**
 * A program that takes 30 MiB of glibc's heap in pieces, forgets all but the last, and returns memory.
 *
 * Usage: node memory-user.ts called|idle. `called` calls the function, `idle` waits to be found idle. Prints one line of JSON.
 */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { releaseFreeMemory } from "../allocator.ts";
import { returnMemoryWhenIdle } from "../idle-memory.ts";

/** Small enough to lie in the heap, where one that stays keeps those before it. */
const PIECE_BYTES = 4_096;
const PIECES = 7_680;
const WORK_MS = 300;
const DEADLINE_MS = 60_000;
/** Rare enough that looking leaves the process idle. */
const POLL_MS = 1_000;

/** What a test learns of the program. */
export interface MemoryUse {
  /** Resident heap with the pieces, when they were freed, and afterwards. */
  readonly fullKiB: number;
  readonly freedKiB: number;
  readonly afterKiB: number;
  /** What the call said; undefined for `idle`. */
  readonly released?: boolean;
}

/** The heap of `brk(2)`, in which the main thread's allocations lie. */
function heapKiB(): number {
  const smaps = readFileSync("/proc/self/smaps", "utf8");
  return Number(/\[heap\]\n(?:.*\n)*?Rss:\s+(\d+) kB/.exec(smaps)?.[1] ?? 0);
}

function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!isSo() && performance.now() < end) await sleep(POLL_MS);
}

const isCalled = process.argv[2] === "called";
if (!isCalled) returnMemoryWhenIdle({ intervalMs: 2_000 });
let pieces = Array.from({ length: PIECES }, () => Buffer.allocUnsafeSlow(PIECE_BYTES).fill(1));
const fullKiB = heapKiB();
pieces = pieces.slice(-1);
let use: MemoryUse = { fullKiB, freedKiB: fullKiB, afterKiB: fullKiB };
if (isCalled) {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  // V8 frees them on a thread of its own.
  await until(() => process.memoryUsage().arrayBuffers < (PIECES * PIECE_BYTES) / 2);
  use = { ...use, freedKiB: heapKiB(), released: releaseFreeMemory() };
} else {
  work(WORK_MS);
  await until(() => heapKiB() < fullKiB / 2);
}
process.stdout.write(JSON.stringify({ ...use, afterKiB: heapKiB(), kept: pieces.length }));
