import { describe, expect, it } from "vitest";
import { createRecentLog } from "./recent-log.ts";

describe("the recent log", () => {
  it("keeps the latest lines that fit, oldest first", () => {
    const log = createRecentLog(100);
    for (let index = 0; index < 1000; index += 1) log.add(`line ${index}\n`);
    expect(log.lines()).toHaveLength(12);
    expect(log.lines()[0]).toBe("line 988");
    expect(log.lines().at(-1)).toBe("line 999");
  });

  it("lets one huge line not push out all others", () => {
    const log = createRecentLog(100);
    log.add("before");
    log.add("ä".repeat(10_000));
    expect(log.lines()).toEqual(["before", "ä".repeat(10)]);
  });
});
