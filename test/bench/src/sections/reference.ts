import type { Row } from "../report/row.ts";
import { measureInTurn } from "./in-turn.ts";
import { missingForLines } from "./missing.ts";
import type { Section } from "./section.ts";

const KiB = 1024;

/** What the reference implementation costs on a machine like this one, measured elsewhere. */
const known = {
  addedUs: 150,
  serialCpu: 21,
  cpuAt64: 7,
  mbPerSecond: { 64: 50, 1024: 120 },
} as const;

/** Whether the comparator may stand in for the reference: its costs beside those that are known of the reference. */
export const reference: Section = {
  name: "reference",
  title: "how near the comparator is to the reference (ours: comparator; comparator: reference)",
  missing: missingForLines,
  async measure({ lines, rounds, scale, progress }) {
    progress("the comparator beside the reference");
    const { direct, comparatorBoth: both } = await lines();
    const times = (calls: number): number => Math.ceil(calls * scale);
    const serial = await measureInTurn(
      { direct, both },
      { call: "check", callers: 1, calls: times(5_000) },
      rounds,
    );
    const busy = await measureInTurn({ both }, { call: "check", callers: 64, calls: times(20_000) }, rounds);
    const rows: Row[] = [
      row(["added to a serial call, p50", "us"], serial.both.p50Us - serial.direct.p50Us, known.addedUs),
      row(["CPU of both hops, 100,000 serial calls", "s"], serial.both.cpuPer100k, known.serialCpu),
      row(["CPU of both hops, 100,000 calls of 64 callers", "s"], busy.both.cpuPer100k, known.cpuAt64),
    ];
    for (const [size, calls] of [
      [64, 2_000],
      [1024, 200],
    ] as const) {
      const work = { call: "read", size: size * KiB, callers: 1, calls: times(calls) } as const;
      const { callsPerSecond } = (await measureInTurn({ both }, work, rounds)).both;
      const rate = (callsPerSecond * size * KiB) / 1e6;
      rows.push(row([`${size} KiB from the VM`, "MB/s"], rate, known.mbPerSecond[size]));
    }
    return rows;
  },
};

/** Beside a known value of the reference. */
function row([name, unit]: readonly [string, string], measured: number, referenceValue: number): Row {
  return { name, unit, ours: measured, comparator: referenceValue, ratio: measured / referenceValue };
}
