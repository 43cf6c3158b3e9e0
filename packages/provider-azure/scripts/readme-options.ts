/** Writes the table of options into README.md, between its markers. */
import { readFile, writeFile } from "node:fs/promises";
import { optionsMarkdown } from "@peerpods/cloud-providers";
import { azureOptions } from "../src/options.ts";

const file = new URL("../README.md", import.meta.url);
const text = await readFile(file, "utf8");
const markers = /(<!-- options: begin -->\n)[\s\S]*?(<!-- options: end -->)/;
if (!markers.test(text)) throw new Error("README.md has no markers for the table of options");
await writeFile(
  file,
  text.replace(
    markers,
    (_all, begin: string, end: string) => `${begin}\n${optionsMarkdown(azureOptions)}\n\n${end}`,
  ),
);
