import { compared, each, type Compared } from "../report/compared.ts";
import { atLeast, type Row } from "../report/row.ts";
import type { Line } from "../stand/lines.ts";
import { measureInTurn } from "./in-turn.ts";
import { missingForLines } from "./missing.ts";
import type { BenchContext, Section } from "./section.ts";

const KiB = 1024;

/** A payload of each call: how many calls are one measurement, and the target. */
interface Payload {
  readonly size: number;
  readonly calls: number;
  readonly minRatio?: number;
}

const untargetedPayloads: readonly Payload[] = [{ size: 32 * KiB, calls: 3_000 }];
export const targetedPayloads: readonly Payload[] = [
  { size: 64 * KiB, calls: 2_000, minRatio: 3 },
  { size: 1024 * KiB, calls: 200, minRatio: 2 },
];
/** Which way the payload of a call goes. */
export const ways = [
  { call: "read", way: "from the VM" },
  { call: "write", way: "to the VM" },
] as const;

/** Payload bytes per second of one caller, both ways. */
export const throughput: Section = {
  name: "throughput",
  title: "one caller, payload through relay and forwarder",
  missing: missingForLines,
  async measure(context) {
    const { direct, relayAndForwarder: ours, comparatorBoth: comparator } = await context.lines();
    const payloads = [...untargetedPayloads, ...targetedPayloads];
    return measureThroughput({ direct, pairs: { ours, comparator }, payloads }, context);
  },
};

interface ThroughputOf {
  readonly direct: Line;
  readonly pairs: Compared<Line>;
  readonly payloads: readonly Payload[];
}

/** Payload per second of several pairs of hops, for each size and both ways; straight to the agent as a note. */
export async function measureThroughput(
  { direct, pairs, payloads }: ThroughputOf,
  { rounds, scale, progress }: BenchContext,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { size, calls, minRatio } of payloads) {
    for (const { call, way } of ways) {
      const name = `${size / KiB} KiB ${way}`;
      progress(`throughput, ${name}`);
      const work = { call, size, callers: 1, calls: Math.ceil(calls * scale) } as const;
      const { direct: directly, ...measured } = await measureInTurn({ direct, ...pairs }, work, rounds);
      const rateOf = ({ callsPerSecond }: { readonly callsPerSecond: number }): number =>
        (callsPerSecond * size) / 1e6;
      rows.push(
        compared(
          {
            name,
            unit: "MB/s",
            judge: minRatio === undefined ? undefined : (ratio) => atLeast(ratio, minRatio),
            note: `direct ${rateOf(directly).toFixed(0)}`,
          },
          each(measured, rateOf),
        ),
      );
    }
  }
  return rows;
}
