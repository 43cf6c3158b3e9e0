import { expect, it } from "vitest";
import { atLeast, atMost } from "./row.ts";
import type { SectionResult } from "./row.ts";
import { compared } from "./compared.ts";
import { renderResults, renderTargets } from "./table.ts";

const results: readonly SectionResult[] = [
  {
    name: "rate",
    title: "calls",
    rows: [
      {
        name: "8 callers",
        unit: "calls/s",
        ours: 40_000,
        comparator: 10_000,
        ratio: 4,
        target: atLeast(4, 3),
      },
      { name: "CPU", unit: "s", ours: 8.25, comparator: 10, ratio: 0.825, target: atMost(0.825, 0.5) },
      { name: "p99", unit: "us", ours: 12.34, note: "of one run" },
    ],
  },
  { name: "memory", title: "PSS", skipped: "needs root" },
];

it("shows a table for each section, and why one has none", () => {
  expect(renderResults(results).split("\n")).toEqual([
    "### rate: calls",
    "",
    "|           | unit    |  ours | comparator | ratio | target      |            |",
    "| --------- | ------- | ----: | ---------: | ----: | ----------- | ---------- |",
    "| 8 callers | calls/s | 40000 |      10000 |  4.00 | at least 3  | met        |",
    "| CPU       | s       |  8.25 |       10.0 |  0.82 | at most 0.5 | MISSED     |",
    "| p99       | us      |  12.3 |            |       |             | of one run |",
    "",
    "### memory: PSS",
    "",
    "skipped: needs root",
  ]);
});

it("puts the targets of all sections together", () => {
  const text = renderTargets(results);
  expect(text).toContain("### targets: 1 of 2 met");
  expect(text).toContain("| 8 callers |");
  expect(text).not.toContain("p99");
  expect(renderTargets([])).toBe("");
});

it("puts other programs of the same run beside ours, each with its ratio, and says who meets the target", () => {
  const values = { ours: 20_000, comparator: 10_000, Node: 15_000, bare: 31_000 };
  const judge = (ratio: number) => atLeast(ratio, 3);
  const floor: SectionResult = {
    name: "floor",
    title: "copies",
    rows: [
      compared({ name: "8 callers", unit: "calls/s", judge }, values),
      compared({ name: "64 callers", unit: "calls/s", judge }, { ...values, bare: 29_000 }),
      compared({ name: "CPU", unit: "s", judge: (ratio) => atMost(ratio, 4) }, values),
      compared({ name: "1 caller", unit: "calls/s", note: "direct 9" }, values),
    ],
  };
  expect(renderResults([floor]).split("\n").slice(2)).toEqual([
    "|            | unit    |  ours | comparator | ratio |  Node | ratio |  bare | ratio | target     |               |",
    "| ---------- | ------- | ----: | ---------: | ----: | ----: | ----: | ----: | ----: | ---------- | ------------- |",
    "| 8 callers  | calls/s | 20000 |      10000 |  2.00 | 15000 |  1.50 | 31000 |  3.10 | at least 3 | met by bare   |",
    "| 64 callers | calls/s | 20000 |      10000 |  2.00 | 15000 |  1.50 | 29000 |  2.90 | at least 3 | MISSED by all |",
    "| CPU        | s       | 20000 |      10000 |  2.00 | 15000 |  1.50 | 31000 |  3.10 | at most 4  | met by all    |",
    "| 1 caller   | calls/s | 20000 |      10000 |  2.00 | 15000 |  1.50 | 31000 |  3.10 |            | direct 9      |",
  ]);
  // Another section judges the same of ours.
  expect(renderTargets([floor])).toBe("");
});
