import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadValues } from "../packages/peerpod-ctrl/src/install/load-values.ts";
import { providerValues, valuesDirectory } from "./provider-values.ts";

const files = Object.entries(await providerValues());

it.each(files)("%s stands in the chart as it is generated, and is taken", async (name, text) => {
  const path = join(valuesDirectory, name);
  expect(await readFile(path, "utf8")).toBe(text);
  expect(await loadValues({ files: [path], settings: [] })).toMatchObject({
    provider: name.replace(".yaml", ""),
  });
});

it("there are files of the providers that there are, and no others", async () => {
  expect(await readdir(valuesDirectory)).toEqual(files.map(([name]) => name).toSorted());
});
