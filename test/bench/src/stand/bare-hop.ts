import { fileURLToPath } from "node:url";
import { startProcess } from "@peerpods/test-harness";
import { hopArgs, type StartHop } from "./pair.ts";

const program = fileURLToPath(new URL("../bare-hop/main.ts", import.meta.url));

/** Hops in Node that only copy, run from source. */
export function bareHops(logFile: string): StartHop {
  return (options) => startProcess(process.execPath, [program, ...hopArgs(options)], { logFile });
}
