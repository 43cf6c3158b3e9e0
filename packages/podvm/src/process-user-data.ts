#!/usr/bin/env node
import { parseArgs } from "node:util";
import { createLogger } from "./program/logger.ts";
import { UserDataError } from "./user-data/errors.ts";
import { provisionFiles } from "./user-data/provision.ts";
import { userDataSources } from "./user-data/sources/index.ts";
import { versionText } from "./version.ts";

const program = "process-user-data";

const help = `Turns the user data of a pod VM into the files its programs read.

Usage:
  ${program} provision-files [-t SECONDS]
  ${program} --version

Options:
  -t, --user-data-fetch-timeout SECONDS   limit for all of it, default 180
      --root DIRECTORY                    directory that stands for /, default /
  -v, --version                           print the version
  -h, --help                              print this text
`;

const options = {
  "user-data-fetch-timeout": { type: "string", short: "t", default: "180" },
  root: { type: "string", default: "/" },
  version: { type: "boolean", short: "v", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  if (values.version) {
    process.stdout.write(versionText(program));
  } else if (values.help || positionals.length === 0) {
    process.stdout.write(help);
  } else if (positionals.length > 1 || positionals[0] !== "provision-files") {
    throw new Error(
      `unknown command ${JSON.stringify(positionals.join(" "))}; the command is provision-files`,
    );
  } else {
    const { root } = values;
    const signal = AbortSignal.timeout(secondsOf(values["user-data-fetch-timeout"]) * 1000);
    await provisionFiles({ root, sources: userDataSources(root), logger: createLogger(program) }, { signal });
  }
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds < 1 || seconds > 86_400) {
    throw new Error(
      `--user-data-fetch-timeout ${JSON.stringify(text)} is not a whole number of seconds from 1 to 86400`,
    );
  }
  return seconds;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const cause =
    error instanceof UserDataError && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  process.stderr.write(`${program}: ${error instanceof Error ? error.message : String(error)}${cause}\n`);
  process.exitCode = 1;
}
