import { parseArgs } from "node:util";
import { groups, sections } from "./sections/index.ts";
import type { Section } from "./sections/section.ts";

export interface BenchOptions {
  readonly sections: readonly Section[];
  readonly rounds: number;
  readonly scale: number;
  readonly json?: string | undefined;
  readonly profile?: string | undefined;
  readonly help: boolean;
}

export const usage = `Usage: pnpm bench [section...] [options]

Measures relay, forwarder and daemon beside a comparator in Go, and prints tables with the targets.
Without a name all sections run; most need root, some Go.

Sections: ${sections.map(({ name }) => name).join(", ")}
Groups:   ${Object.entries(groups)
  .map(([group, names]) => `${group} (${names.join(", ")})`)
  .join(", ")}

  --rounds <n>     how often each figure is measured; the median counts (default 5)
  --scale <x>      work of one measurement in relation to the default (default 1)
  --json <file>    write the results as JSON as well
  --profile <dir>  write CPU profiles of daemon, relay and forwarder there
`;

/**
 * Reads the command line.
 * @throws Error naming what is wrong and what is possible
 */
export function parseBenchOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "5" },
      scale: { type: "string", default: "1" },
      json: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const names = positionals.flatMap((name) => groups[name] ?? [name]);
  const unknown = names.filter((name) => !sections.some((section) => section.name === name));
  if (unknown.length > 0) throw new Error(`no such section: ${unknown.join(", ")}; see --help`);
  return {
    sections: names.length === 0 ? sections : sections.filter(({ name }) => names.includes(name)),
    rounds: positive("--rounds", values.rounds, Number.isInteger),
    scale: positive("--scale", values.scale, Number.isFinite),
    json: values.json,
    profile: values.profile,
    help: values.help,
  };
}

function positive(name: string, text: string, isValid: (value: number) => boolean): number {
  const value = Number(text);
  if (!isValid(value) || value <= 0)
    throw new Error(`${name} takes a number above 0, not ${JSON.stringify(text)}`);
  return value;
}
