import { readdir, readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { chartDirectory } from "./chart-directory.ts";
import { chartFiles } from "./chart-files.ts";

it.each(Object.entries(chartFiles()))(
  "%s stands in the chart as it is generated; else run `pnpm generate`",
  async (path, text) => {
    expect(await readFile(new URL(path, chartDirectory), "utf8")).toBe(text);
  },
);

it("holds no template that nobody generates any more", async () => {
  const generated = Object.keys(chartFiles()).map((path) => path.replace("templates/", ""));
  for (const file of await readdir(new URL("templates", chartDirectory)))
    expect(["_helpers.tpl", ...generated]).toContain(file);
});
