/** `pnpm bench`: measures what was asked for and prints it. */
import { writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release } from "node:os";
import { resolve } from "node:path";
import { createContext } from "./context.ts";
import { parseBenchOptions, usage, type BenchOptions } from "./options.ts";
import type { SectionResult } from "./report/row.ts";
import { renderResults, renderTargets } from "./report/table.ts";

async function main(options: BenchOptions): Promise<void> {
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  const machine = {
    node: process.version,
    kernel: release(),
    cpus: availableParallelism(),
    cpu: cpus()[0]?.model ?? "unknown",
    loadBefore: loadavg()[0],
  };
  await using context = await createContext({
    ...options,
    profile: options.profile === undefined ? undefined : resolve(options.profile),
    progress,
  });
  const results: SectionResult[] = [];
  for (const section of options.sections) {
    const { name, title } = section;
    const skipped = await section.missing();
    results.push(
      skipped === undefined
        ? { name, title, rows: await section.measure(context) }
        : { name, title, skipped },
    );
  }
  process.stdout.write(
    [JSON.stringify(machine), renderResults(results), renderTargets(results)].filter(Boolean).join("\n\n") +
      "\n",
  );
  if (options.json !== undefined)
    await writeFile(options.json, `${JSON.stringify({ machine, results }, undefined, 2)}\n`);
}

try {
  const options = parseBenchOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(usage);
  else await main(options);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
