import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { targets } from "./targets/index.ts";

const root = new URL("../../../", import.meta.url);
const text = await readFile(new URL("docs/hostile-input.md", root), "utf8");
const cells = text
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

const rows = cells.flatMap(([sent = "", , file = "", title = ""]) => {
  const path = /^`(.+\.test\.ts)`$/.exec(file)?.[1];
  return path === undefined ? [] : [{ sent, path, title }];
});

describe("docs/hostile-input.md", () => {
  it.each(rows)("$sent: is tested in $path", async ({ path, title }) => {
    const source = await readFile(new URL(`packages/${path}`, root), "utf8");
    expect(source).toContain(title);
  });

  it("has the whole of its tables", () => {
    expect(rows.length).toBeGreaterThan(40);
  });

  it("names every fuzz target", () => {
    const named = cells.flatMap(([first = ""]) => /^`([a-z-]+)`$/.exec(first)?.[1] ?? []);
    expect(named).toEqual(targets.map(({ name }) => name));
  });
});
