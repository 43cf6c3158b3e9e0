import type { Line, LineResult } from "../stand/lines.ts";
import type { Load } from "../stand/comparator.ts";
import { median } from "./median.ts";

type Work = Pick<Load, "call" | "size" | "callers" | "calls">;

/** Medians of several rounds. */
export interface Measured {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly callsPerSecond: number;
  /** CPU seconds of the hops for 100,000 calls. */
  readonly cpuPer100k: number;
}

/** Calls that the load makes before it measures; the hops pay for them too. */
const WARM_UP_CALLS = 200;

/**
 * Sends the same load along several lines in turn, `rounds` times, so that whatever else the machine does falls on all of
 * them. Gives the median of each figure.
 */
export async function measureInTurn<T extends Readonly<Record<string, Line>>>(
  lines: T,
  work: Work,
  rounds: number,
): Promise<{ readonly [K in keyof T]: Measured }> {
  const all = Object.entries(lines).map(([name, line]) => ({ name, line, results: [] as LineResult[] }));
  for (let round = 0; round < rounds; round++) {
    // Every other round backwards: nobody always runs behind the same neighbour.
    for (const { line, results } of round % 2 === 0 ? all : all.toReversed())
      results.push(await line.measure(work));
  }
  return Object.fromEntries(all.map(({ name, results }) => [name, summary(results)])) as {
    [K in keyof T]: Measured;
  };
}

function summary(results: readonly LineResult[]): Measured {
  return {
    p50Us: median(results.map(({ p50Us }) => p50Us)),
    p99Us: median(results.map(({ p99Us }) => p99Us)),
    callsPerSecond: median(results.map(({ calls, seconds }) => calls / seconds)),
    cpuPer100k: median(
      results.map(({ cpuSeconds, calls }) => (cpuSeconds / (calls + Math.min(calls, WARM_UP_CALLS))) * 1e5),
    ),
  };
}
