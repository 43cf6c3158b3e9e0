import { compared, each, type Compared } from "../report/compared.ts";
import { atLeast, atMost, type Row } from "../report/row.ts";
import type { Line } from "../stand/lines.ts";
import { measureInTurn } from "./in-turn.ts";
import { missingForLines } from "./missing.ts";
import type { BenchContext, Section } from "./section.ts";

/** By number of callers: calls of one measurement, and the targets. */
const loads = [
  { callers: 1, calls: 10_000, minRate: undefined },
  { callers: 8, calls: 20_000, minRate: 3 },
  { callers: 64, calls: 30_000, minRate: 3 },
] as const;
const MAX_CPU_RATIO = 0.5;

/** Calls per second through both hops, and the CPU time that the hops take for them. */
export const rate: Section = {
  name: "rate",
  title: "Check calls through relay and forwarder: rate, and CPU of both hops",
  missing: missingForLines,
  async measure(context) {
    const { relayAndForwarder: ours, comparatorBoth: comparator } = await context.lines();
    return measureRates({ ours, comparator }, context);
  },
};

/** Rate and CPU of several pairs of hops, for each number of callers. */
export async function measureRates(
  pairs: Compared<Line>,
  { rounds, scale, progress }: BenchContext,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { callers, calls, minRate } of loads) {
    const name = callers === 1 ? "1 caller" : `${callers} callers`;
    progress(`rate with ${name}`);
    const work = { call: "check", callers, calls: Math.ceil(calls * scale) } as const;
    const measured = await measureInTurn(pairs, work, rounds);
    rows.push(
      compared(
        {
          name: `${name}: rate`,
          unit: "calls/s",
          judge: minRate === undefined ? undefined : (ratio) => atLeast(ratio, minRate),
        },
        each(measured, ({ callsPerSecond }) => callsPerSecond),
      ),
      compared(
        {
          name: `${name}: CPU per 100,000 calls`,
          unit: "s",
          judge: (ratio) => atMost(ratio, MAX_CPU_RATIO),
        },
        each(measured, ({ cpuPer100k }) => cpuPer100k),
      ),
    );
  }
  return rows;
}
