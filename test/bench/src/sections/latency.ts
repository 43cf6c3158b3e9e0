import { compared, each, type Compared } from "../report/compared.ts";
import { atMost, type Row } from "../report/row.ts";
import type { Line, Lines } from "../stand/lines.ts";
import { measureInTurn, type Measured } from "./in-turn.ts";
import { missingForLines } from "./missing.ts";
import type { BenchContext, Section } from "./section.ts";

const CALLS = 5_000;
const MAX_ADDED_RATIO = 0.6;

/** Serial calls: what each hop adds to a call that goes straight to the agent. */
export const latency: Section = {
  name: "latency",
  title: "one caller, p50 of a call, and what is added to the direct call",
  missing: missingForLines,
  async measure({ lines, rounds, scale, progress }) {
    const rows: Row[] = [];
    const { direct, forwarder, relayAndForwarder, comparatorForwarder, comparatorBoth } = await lines();
    const all = { direct, forwarder, relayAndForwarder, comparatorForwarder, comparatorBoth };
    for (const [what, load] of [
      ["Check", { call: "check" }],
      ["2 KiB answer", { call: "read", size: 2048 }],
    ] as const) {
      progress(`latency of ${what}`);
      const work = { ...load, callers: 1, calls: Math.ceil(CALLS * scale) };
      rows.push(...rowsOf(what, await measureInTurn(all, work, rounds)));
    }
    return rows;
  },
};

/** What several pairs of hops add to a serial Check. */
export async function measureAdded(
  direct: Line,
  pairs: Compared<Line>,
  { rounds, scale, progress }: BenchContext,
): Promise<Row> {
  progress("latency of Check");
  const work = { call: "check", callers: 1, calls: Math.ceil(CALLS * scale) } as const;
  const { direct: directly, ...measured } = await measureInTurn({ direct, ...pairs }, work, rounds);
  return addedRow("Check", directly, measured);
}

function rowsOf(
  what: string,
  p50: Readonly<Record<Exclude<keyof Lines, "bareCopy" | "bareNode">, Measured>>,
): readonly Row[] {
  const { direct, forwarder, relayAndForwarder: ours, comparatorForwarder, comparatorBoth: comparator } = p50;
  return [
    { name: `${what}, direct`, unit: "us", ours: direct.p50Us },
    {
      name: `${what}, forwarder`,
      unit: "us",
      ours: forwarder.p50Us,
      comparator: comparatorForwarder.p50Us,
    },
    {
      name: `${what}, relay and forwarder`,
      unit: "us",
      ours: ours.p50Us,
      comparator: comparator.p50Us,
    },
    addedRow(what, direct, { ours, comparator }),
    {
      name: `${what}, p99 with both`,
      unit: "us",
      ours: ours.p99Us,
      comparator: comparator.p99Us,
    },
  ];
}

function addedRow(what: string, direct: Measured, pairs: Compared<Measured>): Row {
  return compared(
    {
      name: `${what}, added by both`,
      unit: "us",
      judge: (ratio) => atMost(ratio, MAX_ADDED_RATIO),
    },
    each(pairs, ({ p50Us }) => p50Us - direct.p50Us),
  );
}
