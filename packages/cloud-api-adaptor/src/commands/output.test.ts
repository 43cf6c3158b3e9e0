import { expect, it } from "vitest";
import { harmless, toJson } from "./output.ts";

it.each([
  ["plain\ttext\n", "plain\ttext\n"],
  ["windows\r\n", "windows\n"],
  ["over\rwritten", "over\u240dwritten"],
  ["\x1b[2J\x1b[31mred", "\u241b[2J\u241b[31mred"],
  ["bell\x07 nul\0 del\x7f c1\x9b", "bell\u2407 nul\u2400 del\u2421 c1\ufffd"],
  ["größe 漢字 🙂", "größe 漢字 🙂"],
])("shows %j harmlessly", (text, shown) => {
  expect(harmless(text)).toBe(shown);
});

it("writes counters as numbers and nothing of protobuf's own", () => {
  const value = { $typeName: "x", bytes: 12n, list: [{ $unknown: [], at: 1 }], absent: undefined };
  expect(JSON.parse(toJson(value))).toEqual({ bytes: 12, list: [{ at: 1 }] });
});
