/** Writes the chart's generated files: `pnpm generate`. */
import { mkdir, writeFile } from "node:fs/promises";
import { chartDirectory } from "./chart-directory.ts";
import { chartFiles } from "./chart-files.ts";

for (const [path, text] of Object.entries(chartFiles())) {
  const file = new URL(path, chartDirectory);
  await mkdir(new URL(".", file), { recursive: true });
  await writeFile(file, text);
}
