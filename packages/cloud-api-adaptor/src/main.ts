#!/usr/bin/env node
/** The daemon `cloud-api-adaptor`: knows the parts that exist, runs the program, tells the exit code. */

import { join } from "node:path";
import { builtinProviders } from "./builtin-providers.ts";
import { keepHeapSmall } from "./daemon/heap.ts";
import { runProgram } from "./daemon/program.ts";
import { awaitedLauncher, chooseLauncher } from "./relay/process/launch.ts";
import { ensureRelay } from "./relay/process/ensure-relay.ts";
import { relayCommandBeside } from "./relay/process/relay-command.ts";

keepHeapSmall();
// Sockets, keys and journal are for this user only, from the moment they are made.
process.umask(0o077);

process.exitCode = await runProgram({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  signals: process,
  exitNow: (code) => process.exit(code),
  registry: builtinProviders(),
  importPackage: (specifier) => import(specifier),
  ensureRelay: async ({ socketPath, launch, stateDir, logger, signal }) => {
    const launcher = launch
      ? await chooseLauncher(join(stateDir, "agent-relay.log"))
      : awaitedLauncher(logger);
    const command = relayCommandBeside(import.meta.url);
    return await ensureRelay({ socketPath, command, launcher, logger }, { signal });
  },
});
