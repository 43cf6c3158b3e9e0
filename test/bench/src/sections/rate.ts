import { atLeast, atMost, type Row } from "../report/row.ts";
import { measureInTurn, type Measured } from "./in-turn.ts";
import { missingForLines } from "./missing.ts";
import type { Section } from "./section.ts";

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
  async measure({ lines, rounds, scale, progress }) {
    const { relayAndForwarder: ours, comparatorBoth: comparator } = await lines();
    const rows: Row[] = [];
    for (const { callers, calls, minRate } of loads) {
      progress(`rate with ${callers} callers`);
      const work = { call: "check", callers, calls: Math.ceil(calls * scale) } as const;
      rows.push(...rowsOf(await measureInTurn({ ours, comparator }, work, rounds), { callers, minRate }));
    }
    return rows;
  },
};

function rowsOf(
  { ours, comparator }: Record<"ours" | "comparator", Measured>,
  { callers, minRate }: { readonly callers: number; readonly minRate: number | undefined },
): readonly Row[] {
  const rateRatio = ours.callsPerSecond / comparator.callsPerSecond;
  const cpuRatio = ours.cpuPer100k / comparator.cpuPer100k;
  const name = callers === 1 ? "1 caller" : `${callers} callers`;
  return [
    {
      name: `${name}: rate`,
      unit: "calls/s",
      ours: ours.callsPerSecond,
      comparator: comparator.callsPerSecond,
      ratio: rateRatio,
      ...(minRate === undefined ? {} : { target: atLeast(rateRatio, minRate) }),
    },
    {
      name: `${name}: CPU per 100,000 calls`,
      unit: "s",
      ours: ours.cpuPer100k,
      comparator: comparator.cpuPer100k,
      ratio: cpuRatio,
      target: atMost(cpuRatio, MAX_CPU_RATIO),
    },
  ];
}
