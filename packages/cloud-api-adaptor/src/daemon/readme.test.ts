import { readFile } from "node:fs/promises";
import { optionsMarkdown } from "@peerpods/cloud-providers";
import { expect, it } from "vitest";
import { daemonOptions } from "./options.ts";

it("the README lists the options as they are", async () => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const table = /<!-- options:[^\n]*-->\n(.*)\n<!-- \/options -->/s.exec(readme)?.[1];
  expect(cells(table ?? "")).toEqual(cells(optionsMarkdown(daemonOptions)));
});

/** What the cells hold; how wide a formatter makes them does not matter. */
function cells(table: string): readonly (readonly string[])[] {
  return table
    .split("\n")
    .filter((row) => row.startsWith("|") && !/^[|\s:-]+$/.test(row))
    .map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()));
}
