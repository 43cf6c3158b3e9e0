import { parseArgs } from "node:util";

export interface SoakOptions {
  readonly cycles: number;
  readonly atOnce: number;
  readonly json?: string | undefined;
  /** Whether the tests with long series run as well, in their full length. */
  readonly tests: boolean;
  readonly help: boolean;
}

export const soakUsage = `Usage: pnpm soak [options]

Creates, uses and stops sandboxes on a cloud of zero latency with the real tunnel, and holds memory and descriptors of
daemon and relay flat and the machine clean. Then runs the tests with PEERPODS_SOAK=1, which gives series their full length.
Needs root. Ends with 1 when something grew, was left or failed.

  --cycles <n>   create, run, stop cycles (default 1000)
  --at-once <n>  at the same time (default 20)
  --json <file>  write the samples as JSON as well
  --no-tests     only the cycles
`;

/**
 * Reads the command line.
 * @throws Error naming what is wrong
 */
export function parseSoakOptions(argv: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...argv],
    allowNegative: true,
    options: {
      cycles: { type: "string", default: "1000" },
      "at-once": { type: "string", default: "20" },
      json: { type: "string" },
      tests: { type: "boolean", default: true },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  return {
    cycles: count("--cycles", values.cycles),
    atOnce: count("--at-once", values["at-once"]),
    json: values.json,
    tests: values.tests,
    help: values.help,
  };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`${name} takes a whole number from 1 on, not ${JSON.stringify(text)}`);
  }
  return value;
}
