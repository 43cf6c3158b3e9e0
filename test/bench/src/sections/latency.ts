import { atMost, type Row } from "../report/row.ts";
import type { Lines } from "../stand/lines.ts";
import { measureInTurn, type Measured } from "./in-turn.ts";
import { missingForLines } from "./missing.ts";
import type { Section } from "./section.ts";

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

function rowsOf(what: string, p50: Record<keyof Lines, Measured>): readonly Row[] {
  const added = (line: keyof typeof p50): number => p50[line].p50Us - p50.direct.p50Us;
  const ratio = added("relayAndForwarder") / added("comparatorBoth");
  return [
    { name: `${what}, direct`, unit: "us", ours: p50.direct.p50Us },
    {
      name: `${what}, forwarder`,
      unit: "us",
      ours: p50.forwarder.p50Us,
      comparator: p50.comparatorForwarder.p50Us,
    },
    {
      name: `${what}, relay and forwarder`,
      unit: "us",
      ours: p50.relayAndForwarder.p50Us,
      comparator: p50.comparatorBoth.p50Us,
    },
    {
      name: `${what}, added by both`,
      unit: "us",
      ours: added("relayAndForwarder"),
      comparator: added("comparatorBoth"),
      ratio,
      target: atMost(ratio, MAX_ADDED_RATIO),
    },
    {
      name: `${what}, p99 with both`,
      unit: "us",
      ours: p50.relayAndForwarder.p99Us,
      comparator: p50.comparatorBoth.p99Us,
    },
  ];
}
