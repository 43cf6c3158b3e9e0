import { describe, expect, it } from "vitest";
import { growth } from "./judge.ts";
import type { Held, Sample } from "./sample.ts";

const steady: Held = { pssMiB: 60, descriptors: 30 };

function samples(count: number, at: (index: number) => Partial<Pick<Sample, "daemon" | "relay">>): Sample[] {
  return Array.from({ length: count }, (_, index) => ({
    cycles: index,
    seconds: index,
    daemon: steady,
    relay: steady,
    ...at(index),
  }));
}

describe("growth", () => {
  it("is none when all stays, and when only some samples are high", () => {
    const breathing = (index: number) => ({ daemon: { ...steady, pssMiB: index % 2 === 0 ? 60 : 95 } });
    expect(growth(samples(12, breathing))).toEqual([]);
  });

  it.each([
    [
      "memory",
      (index: number) => ({ relay: { ...steady, pssMiB: 60 + index } }),
      "relay: 70 MiB in the middle",
    ],
    [
      "descriptors",
      (index: number) => ({ daemon: { ...steady, descriptors: 30 + index } }),
      "daemon: 40 descriptors in the middle",
    ],
  ])("names %s that grows", (_what, at, text) => {
    expect(growth(samples(30, at))).toEqual([expect.stringContaining(text)]);
  });
});
