import { expect, it } from "vitest";
import { compared, each } from "./compared.ts";
import { atMost } from "./row.ts";

const figure = { name: "CPU", unit: "s", judge: (ratio: number) => atMost(ratio, 0.5) };

it("relates ours to the comparator", () => {
  expect(compared(figure, { ours: 6, comparator: 10 })).toEqual({
    name: "CPU",
    unit: "s",
    ours: 6,
    comparator: 10,
    ratio: 0.6,
    target: { text: "at most 0.5", met: false },
  });
});

it("relates every other program to the comparator as well, by the same target", () => {
  const { target, beside } = compared(figure, { ours: 5, comparator: 10, Node: 8, bare: 1 });
  expect(target?.met).toBe(true);
  expect(beside).toEqual([
    { name: "Node", value: 8, ratio: 0.8, met: false },
    { name: "bare", value: 1, ratio: 0.1, met: true },
  ]);
});

it("judges nothing where there is no target", () => {
  const row = compared({ name: "CPU", unit: "s", note: "alone" }, { ours: 5, comparator: 10, bare: 1 });
  expect(row).toEqual({
    name: "CPU",
    unit: "s",
    ours: 5,
    comparator: 10,
    ratio: 0.5,
    note: "alone",
    beside: [{ name: "bare", value: 1, ratio: 0.1 }],
  });
});

it("takes one figure of each", () => {
  expect(each({ ours: [1], comparator: [2], bare: [3] }, ([value = 0]) => value * 2)).toEqual({
    ours: 2,
    comparator: 4,
    bare: 6,
  });
});
