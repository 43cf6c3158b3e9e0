import type { Logger } from "pino";
import type { Program } from "./programs.ts";
import type { Run } from "./run.ts";
import type { Tools } from "./tools.ts";

/** What the agent does to the machine goes through here. */
export interface Host {
  readonly run: Run;
  readonly tools: Tools;
  readonly logger: Logger;
}

/** Runs a tool of the VM. */
export function runTool(
  host: Host,
  program: Program,
  call: { readonly args: readonly string[]; readonly signal: AbortSignal },
): Promise<string> {
  const [path, ...first] = program;
  return host.run(path, [...first, ...call.args], { signal: call.signal });
}
