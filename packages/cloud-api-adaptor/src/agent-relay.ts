#!/usr/bin/env node
/** The agent relay: owns the agent sockets of a node and the connections to its pod VMs. */

import { tuneCollectorForRelaying } from "@peerpods/ttrpc/relay";
import { Command, InvalidArgumentError, Option } from "commander";
import { pino } from "pino";
import { directVolumesDirectory } from "./relay/calls/direct-volumes.ts";
import { DEFAULT_RELAY_SOCKET } from "./relay/control/protocol.ts";
import { defaultRelayLimits } from "./relay/dependencies.ts";
import { reasonOf } from "./relay/errors.ts";
import { runRelay } from "./relay/process/run-relay.ts";
import { packageVersion as version } from "./release.ts";

interface Flags {
  readonly socket: string;
  readonly idleTimeout: number;
  readonly reconnectTimeout: number;
  readonly maxSandboxes: number;
  readonly directVolumesDir: string;
  readonly cgroup?: string;
  readonly logLevel: string;
}

tuneCollectorForRelaying();

const program = new Command("agent-relay")
  .description("carries the agent connections of the pods of this node; the daemon starts and drives it")
  .version(version)
  .option("--socket <path>", "control socket, mode 0600; its directory must exist", DEFAULT_RELAY_SOCKET)
  .option(
    "--idle-timeout <seconds>",
    "end when there was no pod and no caller for so long; 0: never",
    count(0),
    600,
  )
  .option(
    "--reconnect-timeout <seconds>",
    "give a pod VM up whose connection stays away for so long",
    count(1),
    defaultRelayLimits.reconnectTimeoutMs / 1000,
  )
  .option("--max-sandboxes <number>", "pods at once", count(1), defaultRelayLimits.maxSandboxes)
  .option(
    "--direct-volumes-dir <path>",
    "where CSI drivers note volumes that the VM mounts",
    directVolumesDirectory,
  )
  .option(
    "--cgroup <name>",
    "move to a cgroup of this name, so that ending the starter's unit does not end the relay",
  )
  .addOption(
    new Option("--log-level <level>", "what is logged, as JSON lines on standard output")
      .choices(["debug", "info", "warn", "error", "silent"])
      .default("info"),
  )
  .allowExcessArguments(false);

function count(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > 1_000_000) {
      throw new InvalidArgumentError(`Use a whole number from ${min} to 1000000.`);
    }
    return value;
  };
}

const flags = program.parse().opts<Flags>();
const logger = pino({ name: "agent-relay", level: flags.logLevel });
// Sockets and whatever else is made here is for root only.
process.umask(0o077);

const stopping = new AbortController();
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.once(name, () => stopping.abort(new Error(name)));
}
// A terminal that goes away takes nothing with it.
process.on("SIGHUP", () => undefined);
// The end of this process is the end of every pod of the node, and whatever failed belonged to one connection. A log that
// cannot be written must not be answered with more of it.
process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
  if (error.syscall !== "write") logger.error({ err: error }, "unexpected error, the pods go on");
});

try {
  await runRelay(
    {
      socketPath: flags.socket,
      idleTimeoutMs: flags.idleTimeout * 1000,
      limits: {
        ...defaultRelayLimits,
        maxSandboxes: flags.maxSandboxes,
        reconnectTimeoutMs: flags.reconnectTimeout * 1000,
      },
      directVolumesDirectory: flags.directVolumesDir,
      cgroup: flags.cgroup,
      version: version,
      logger,
    },
    stopping,
  );
} catch (error) {
  logger.fatal({ err: error }, "the relay cannot run");
  process.stderr.write(`agent-relay: ${reasonOf(error)}\n`);
  process.exitCode = 1;
}
