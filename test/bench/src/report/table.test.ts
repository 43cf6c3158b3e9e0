import { expect, it } from "vitest";
import { atLeast, atMost } from "./row.ts";
import type { SectionResult } from "./row.ts";
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
