#!/usr/bin/env node
/** The daemon `cloud-api-adaptor`: knows the parts that exist, runs the program, tells the exit code. */

import { addCloudProvider, createProviderRegistry } from "@peerpods/cloud-providers";
import { join } from "node:path";
import { runProgram } from "./daemon/program.ts";
import { chooseLauncher } from "./relay/process/launch.ts";
import { ensureRelay } from "./relay/process/ensure-relay.ts";
import { relayCommandBeside } from "./relay/process/relay-command.ts";

// Sockets, keys and journal are for this user only, from the moment they are made.
process.umask(0o077);

const registry = createProviderRegistry();
addCloudProvider(registry, "local", async () => (await import("@peerpods/provider-local")).provider);

process.exitCode = await runProgram({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  signals: process,
  exitNow: (code) => process.exit(code),
  registry,
  importPackage: (specifier) => import(specifier),
  ensureRelay: async ({ socketPath, stateDir, logger, signal }) => {
    const launcher = await chooseLauncher(join(stateDir, "agent-relay.log"));
    const command = relayCommandBeside(import.meta.url);
    return await ensureRelay({ socketPath, command, launcher, logger }, { signal });
  },
});
