#!/usr/bin/env node
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { createTtrpcServer } from "@peerpods/ttrpc";
import { pino } from "pino";
import { parseCommandLine, usage, UsageError, type CommandLine } from "./command-line.ts";
import { composeAgent } from "./compose.ts";
import type { Host } from "./host/host.ts";
import { run } from "./host/run.ts";
import { findTools } from "./host/tools.ts";
import { agentRoutes } from "./service/routes.ts";
import { agentVersion } from "./version.ts";

/** The answer to DestroySandbox is on its way when the agent begins to end. */
const SHUTDOWN_MS = 2_000;

async function serve(commandLine: CommandLine): Promise<void> {
  const logger = pino({ level: commandLine.logLevel, base: { program: "dev-agent" } }, pino.destination(2));
  const { runtime, socketPath } = commandLine;
  const searchPath = process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin";
  const tools = await findTools({ searchPath, ...(runtime !== undefined && { runtime }) });
  const host: Host = { run, tools, logger };
  const { agent, directories, images } = await composeAgent(commandLine, host);
  using _images = images;

  await using server = createTtrpcServer(agentRoutes(agent, directories, host), { logger });
  await mkdir(dirname(socketPath), { recursive: true });
  await server.listen({ path: socketPath });
  logger.info({ socketPath, runtime: tools.runtime, version: agentVersion }, "serving");

  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => {
      logger.info({ signal }, "ending");
      void agent.destroySandbox();
    });
  await agent.finished;
  await server.shutdown({ timeoutMs: SHUTDOWN_MS });
  logger.info("ended");
}

try {
  const commandLine = parseCommandLine(process.argv.slice(2));
  if (commandLine === undefined) process.stdout.write(usage);
  else await serve(commandLine);
} catch (error) {
  const remedy = error instanceof UsageError ? "; see dev-agent -help" : "";
  process.stderr.write(`dev-agent: ${error instanceof Error ? error.message : String(error)}${remedy}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
