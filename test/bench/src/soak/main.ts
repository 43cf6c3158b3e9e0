/** `pnpm soak`: many sandboxes one after the other, and the tests' long series in full. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { createContext } from "../context.ts";
import { missingRoot } from "../sections/missing.ts";
import { startNode } from "../stand/node.ts";
import { createPodNetworks } from "../stand/pods.ts";
import { root } from "../stand/programs.ts";
import { runCycles } from "./cycles.ts";
import { growth } from "./judge.ts";
import { leftBehind } from "./left-behind.ts";
import { parseSoakOptions, soakUsage, type SoakOptions } from "./options.ts";
import type { Sample } from "./sample.ts";

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Runs the cycles; returns what is wrong afterwards. */
async function soak(options: SoakOptions): Promise<readonly string[]> {
  await using context = await createContext({ rounds: 1, scale: 1, progress: say });
  const [programs, cloud] = [await context.programs(), await context.cloud()];
  await using node = await startNode({ programs, cloud, directory: join(context.directory, "n") });
  await using networks = createPodNetworks();
  const samples = await runCycles({ node, networks, cloud }, options, (sample) => say(lineOf(sample)));
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(samples, undefined, 2)}\n`);
  const left = await leftBehind(node, cloud);
  return [...growth(samples).map((line) => `grew: ${line}`), ...left.map((line) => `left: ${line}`)];
}

function lineOf({ cycles, seconds, daemon, relay }: Sample): string {
  const held = ({ pssMiB, descriptors }: Sample["daemon"]): string =>
    `${pssMiB.toFixed(1).padStart(5)} MiB ${String(descriptors).padStart(3)} descriptors`;
  return `${String(cycles).padStart(5)} cycles ${seconds.toFixed(0).padStart(4)} s   daemon ${held(daemon)}   relay ${held(relay)}`;
}

async function runTests(): Promise<readonly string[]> {
  say("\nthe tests, long series in full");
  const { exitCode } = await execa("vitest", ["run"], {
    cwd: root,
    env: { PEERPODS_SOAK: "1" },
    stdio: "inherit",
    preferLocal: true,
    reject: false,
  });
  return exitCode === 0 ? [] : [`tests failed with PEERPODS_SOAK=1 (exit code ${exitCode})`];
}

async function main(options: SoakOptions): Promise<void> {
  const skipped = await missingRoot();
  if (skipped !== undefined) say(`cycles skipped: ${skipped}`);
  const problems = [
    ...(skipped === undefined ? await soak(options) : []),
    ...(options.tests ? await runTests() : []),
  ];
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
  else if (skipped === undefined) say("flat, and nothing left");
}

try {
  const options = parseSoakOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(soakUsage);
  else await main(options);
} catch (error) {
  process.stderr.write(`soak: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
