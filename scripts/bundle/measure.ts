import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";

const RUNS = 7;

/** How long a program takes to load and say its version, in milliseconds: the median of some runs. */
export interface StartTimes {
  readonly plainMs: number;
  /** With Node's compile cache, as NODE_COMPILE_CACHE keeps it. */
  readonly cachedMs: number;
}

/** Starts a program again and again, without a compile cache and with one. */
export async function measureStart(file: string): Promise<StartTimes> {
  const cache = await mkdtemp(join(tmpdir(), "peerpods-compile-cache-"));
  try {
    // The first run fills the cache.
    await timeOnce(file, { NODE_COMPILE_CACHE: cache });
    return {
      plainMs: await median(() => timeOnce(file, {})),
      cachedMs: await median(() => timeOnce(file, { NODE_COMPILE_CACHE: cache })),
    };
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

async function median(once: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run += 1) times.push(await once());
  return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
}

async function timeOnce(file: string, env: Record<string, string>): Promise<number> {
  const begin = performance.now();
  // Whether a program knows this flag or refuses it, it has loaded all of itself to say so.
  const child = spawn(process.execPath, [file, "--version"], {
    stdio: "ignore",
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  await once(child, "exit");
  return performance.now() - begin;
}
