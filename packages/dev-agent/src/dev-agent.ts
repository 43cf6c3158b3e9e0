#!/usr/bin/env node
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { createTtrpcServer } from "@peerpods/ttrpc";
import { agentUsage, parseAgentFlags } from "./command-line.ts";
import { composeAgent } from "./compose.ts";
import type { Host } from "./host/host.ts";
import { run } from "./host/run.ts";
import { findTools } from "./host/tools.ts";
import { runProgram } from "./program.ts";
import { agentRoutes } from "./service/routes.ts";
import { agentVersion } from "./version.ts";

/** The answer to DestroySandbox is on its way when the agent begins to end. */
const SHUTDOWN_MS = 2_000;

await runProgram({
  name: "dev-agent",
  usage: agentUsage,
  parse: parseAgentFlags,
  serve: async (flags, { logger, searchPath }, signal) => {
    const { runtime, socketPath } = flags;
    const tools = await findTools({ searchPath, ...(runtime !== undefined && { runtime }) });
    const host: Host = { run, tools, logger };
    const { agent, directories, images } = await composeAgent(flags, host);
    using _images = images;

    await using server = createTtrpcServer(agentRoutes(agent, directories, host), { logger });
    await mkdir(dirname(socketPath), { recursive: true });
    await server.listen({ path: socketPath });
    logger.info({ socketPath, runtime: tools.runtime, version: agentVersion }, "serving");

    signal.addEventListener("abort", () => void agent.destroySandbox(), { once: true });
    await agent.finished;
    await server.shutdown({ timeoutMs: SHUTDOWN_MS });
  },
});
