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
export async function measureInTurn<K extends string>(
  lines: Readonly<Record<K, Line>>,
  work: Work,
  rounds: number,
): Promise<Record<K, Measured>> {
  const names = Object.keys(lines) as K[];
  const results = new Map<K, LineResult[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    // Every other round backwards: nobody always runs behind the same neighbour.
    for (const name of round % 2 === 0 ? names : names.toReversed())
      results.get(name)?.push(await lines[name].measure(work));
  }
  return Object.fromEntries(names.map((name) => [name, summary(results.get(name) ?? [])])) as Record<
    K,
    Measured
  >;
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
