#!/usr/bin/env node
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { createTtrpcServer } from "@peerpods/ttrpc";
import { imagePullUsage, parseImagePullFlags } from "./command-line.ts";
import { run } from "./host/run.ts";
import { findImageTools } from "./host/tools.ts";
import { runProgram } from "./program.ts";
import { imagePullRoutes } from "./service/image-pull.ts";

await runProgram({
  name: "image-pull-stand-in",
  usage: imagePullUsage,
  parse: parseImagePullFlags,
  serve: async (flags, { logger, searchPath }, signal) => {
    const host = { run, tools: await findImageTools(searchPath) };
    await using server = createTtrpcServer(imagePullRoutes({ options: flags, host }, logger), { logger });
    const { socketPath } = flags;
    await mkdir(dirname(socketPath), { recursive: true });
    await server.listen({ path: socketPath });
    logger.info({ socketPath, imageRoot: flags.imageRoot }, "serving");
    if (!signal.aborted) await once(signal, "abort");
  },
});
