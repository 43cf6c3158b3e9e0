#!/usr/bin/env node
/** The tool a person uses on a worker node; see `commands/` for what each command does. */

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { builtinProviders } from "./builtin-providers.ts";
import { installedProviders } from "./commands/installed-providers.ts";
import { runTool } from "./commands/run-tool.ts";

const interrupted = new AbortController();
const interrupt = (): void => interrupted.abort(new Error("interrupted"));
// `on`, not `once`: with no listener left, the child process library would end this process by the same signal.
process.on("SIGINT", interrupt).on("SIGTERM", interrupt);

const { stdin, stdout, stderr, env } = process;
process.exitCode = await runTool(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  signal: interrupted.signal,
  takeSignals: () => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, interrupt).on(name, () => undefined);
  },
  providers: {
    registry: builtinProviders(),
    env,
    importPackage: (specifier) => import(specifier),
    installed: () =>
      installedProviders(createRequire(import.meta.url).resolve.paths("@peerpods/provider-local") ?? []),
  },
  host: async () => {
    const { thisHost } = await import("./commands/doctor/host.ts");
    return await thisHost(fileURLToPath(import.meta.url));
  },
});
// A read of standard input or a kept connection must not hold a tool that is done.
if (typeof process.stdin.unref === "function") process.stdin.unref();
