import { parseArgs } from "node:util";
import { targets } from "./targets/index.ts";
import type { FuzzTarget } from "./target.ts";

/** What `pnpm fuzz` is asked to do. */
export interface FuzzCommand {
  readonly help: boolean;
  readonly targets: readonly FuzzTarget[];
  /** For each target. */
  readonly seconds: number;
  readonly seed: number;
  /** Keep a small set of inputs that reaches what this run reached. */
  readonly keep: boolean;
}

export const usage = `pnpm fuzz [target ...] [--seconds N] [--seed S] [--keep]

Feeds hostile bytes to what crosses a trust boundary, guided by coverage. A finding is shown, made as small as it gets,
and kept in test/fuzz/corpus, where npm test tries it from then on. Exit status 1 when there is one.

  --seconds N  how long each target is fuzzed (default 10)
  --seed S     where the mutations begin (default: the time)
  --keep       also keep inputs that reach what no kept one does

Targets:
${targets.map(({ name, boundary }) => `  ${name.padEnd(17)}${boundary}`).join("\n")}
`;

/** @throws Error naming what is wrong and what is allowed. */
export function parseCommand(argv: readonly string[], nowMs: number): FuzzCommand {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h", default: false },
      keep: { type: "boolean", default: false },
      seconds: { type: "string", default: "10" },
      seed: { type: "string", default: String(nowMs % 2 ** 32) },
    },
  });
  const named = positionals.map((name) => {
    const target = targets.find((known) => known.name === name);
    if (target !== undefined) return target;
    throw new Error(
      `no target ${JSON.stringify(name)}; there are ${targets.map(({ name }) => name).join(", ")}`,
    );
  });
  return {
    help: values.help,
    keep: values.keep,
    targets: named.length > 0 ? named : targets,
    seconds: wholeNumber("seconds", values.seconds),
    seed: wholeNumber("seed", values.seed),
  };
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new Error(`--${option} must be a whole number, not ${JSON.stringify(text)}`);
}
