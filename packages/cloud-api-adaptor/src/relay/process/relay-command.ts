import { fileURLToPath } from "node:url";

/**
 * Megabytes of young heap before it is collected. The relay keeps next to nothing of what passes, so the default of 16 would
 * only fill memory with garbage; its CPU time is the same.
 */
const SMALL_HEAP = "--max-semi-space-size=2";

/**
 * The command that runs `agent-relay` as it lies beside the running program: as source, as built file or as bundle.
 * @param programUrl `import.meta.url` of the program file.
 */
export function relayCommandBeside(programUrl: string): readonly string[] {
  const extension = /\.[cm]?[jt]s$/.exec(programUrl)?.[0] ?? ".js";
  const program = fileURLToPath(new URL(`agent-relay${extension}`, programUrl));
  // A source file needs what this process was started with to find its siblings' sources.
  return [process.execPath, SMALL_HEAP, ...process.execArgv, program];
}
