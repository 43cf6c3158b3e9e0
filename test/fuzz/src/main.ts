/** `pnpm fuzz`: looks for inputs that a target does not withstand. */
import { join } from "node:path";
import { corpusDirectory, keepInput, loadCorpus } from "./corpus.ts";
import { Coverage } from "./engine/coverage.ts";
import { fuzz } from "./engine/fuzz.ts";
import { minimise } from "./engine/minimise.ts";
import { parseCommand, usage } from "./options.ts";
import type { FuzzCommand } from "./options.ts";
import type { FuzzTarget } from "./target.ts";
import { Watchdog } from "./watchdog.ts";

/** Inputs kept for reaching code are small: they are tried in every test run. */
const maxKeptBytes = 1024;

/** Our sources, and the parsers that documents of strangers go to. */
const isOurs = (url: string): boolean =>
  url.startsWith("file:") &&
  (/\/node_modules\/(yaml|smol-toml)\//.test(url) ||
    (url.includes("/packages/") && !url.includes("/node_modules/")));

async function fuzzTarget(target: FuzzTarget, { seconds, seed, keep }: FuzzCommand): Promise<boolean> {
  await using watchdog = new Watchdog(join(corpusDirectory(target.name), `finding-stuck-${seed}`));
  await using opened = await target.open();
  using coverage = await Coverage.start(isOurs);
  const untilMs = performance.now() + seconds * 1000;
  const corpus = await loadCorpus(target.name);
  const { finding, inputs, ranges, reached } = await fuzz(target, opened, {
    seed,
    corpus,
    coverage,
    isOver: () => performance.now() > untilMs,
    onInput: (input) => watchdog.seen(input),
  });
  process.stdout.write(
    `${target.name}: ${inputs} inputs, ${ranges} ranges, ${reached.length} inputs that matter\n`,
  );
  if (keep) {
    const isNew = (input: Buffer): boolean =>
      input.length <= maxKeptBytes && ![...target.seeds, ...corpus].some((known) => input.equals(known));
    for (const input of reached.filter(isNew)) await keepInput(target.name, { input, kind: "reach" });
  }
  if (finding === undefined) return true;
  const smallest = await minimise(opened, finding);
  const path = await keepInput(target.name, { input: smallest.input, kind: "finding" });
  const { error } = smallest;
  process.stdout.write(
    `${target.name}: FINDING, ${smallest.input.length} bytes, seed ${seed}, kept in ${path}\n` +
      `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return false;
}

try {
  const command = parseCommand(process.argv.slice(2), Date.now());
  if (command.help) process.stdout.write(usage);
  else {
    process.stdout.write(`seed ${command.seed}, ${command.seconds} s for each target\n`);
    for (const target of command.targets) {
      if (!(await fuzzTarget(target, command))) process.exitCode = 1;
    }
  }
} catch (error) {
  process.stderr.write(`fuzz: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
