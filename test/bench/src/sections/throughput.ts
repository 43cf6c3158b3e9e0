import { atLeast, type Row } from "../report/row.ts";
import { measureInTurn } from "./in-turn.ts";
import { missingForLines } from "./missing.ts";
import type { Section } from "./section.ts";

const KiB = 1024;
const loads = [
  { size: 32 * KiB, calls: 3_000, minRatio: undefined },
  { size: 64 * KiB, calls: 2_000, minRatio: 3 },
  { size: 1024 * KiB, calls: 200, minRatio: 2 },
] as const;
const ways = [
  { call: "read", way: "from the VM" },
  { call: "write", way: "to the VM" },
] as const;

/** Payload bytes per second of one caller, both ways. */
export const throughput: Section = {
  name: "throughput",
  title: "one caller, payload through relay and forwarder",
  missing: missingForLines,
  async measure({ lines, rounds, scale, progress }) {
    const { direct, relayAndForwarder: ours, comparatorBoth: comparator } = await lines();
    const rows: Row[] = [];
    for (const { size, calls, minRatio } of loads) {
      for (const { call, way } of ways) {
        progress(`throughput ${way}, ${size / KiB} KiB`);
        const work = { call, size, callers: 1, calls: Math.ceil(calls * scale) } as const;
        const measured = await measureInTurn({ direct, ours, comparator }, work, rounds);
        const rateOf = (line: keyof typeof measured): number => (measured[line].callsPerSecond * size) / 1e6;
        const ratio = rateOf("ours") / rateOf("comparator");
        rows.push({
          name: `${size / KiB} KiB ${way}`,
          unit: "MB/s",
          ours: rateOf("ours"),
          comparator: rateOf("comparator"),
          ratio,
          note: `direct ${rateOf("direct").toFixed(0)}`,
          ...(minRatio === undefined ? {} : { target: atLeast(ratio, minRatio) }),
        });
      }
    }
    return rows;
  },
};
