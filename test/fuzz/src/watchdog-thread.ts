/** The watchdog's thread: see `watchdog.ts`. */
import { Buffer } from "node:buffer";
import { mkdirSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { workerData } from "node:worker_threads";
import { watchdogLimits } from "./watchdog.ts";
import type { WatchedMemory } from "./watchdog.ts";

const { memory, path } = workerData as WatchedMemory;
const head = new Int32Array(memory, 0, 2);
let count = 0;
let sinceMs = performance.now();

setInterval(() => {
  const now = Atomics.load(head, 0);
  if (now !== count) {
    count = now;
    sinceMs = performance.now();
  }
  const silentMs = performance.now() - sinceMs;
  const { rss } = process.memoryUsage();
  if (silentMs < watchdogLimits.silentMs && rss < watchdogLimits.rssBytes) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.from(Buffer.from(memory, 8, head[1])));
  // Standard error goes through the main thread, which is stuck.
  writeSync(
    2,
    `fuzz: no end after ${Math.round(silentMs)} ms with ${rss >> 20} MiB; the input is in ${path}\n`,
  );
  process.kill(process.pid, "SIGKILL");
}, 250);
