import { fileURLToPath } from "node:url";

/**
 * The command that runs `agent-relay` as it lies beside the running program: as source, as built file or as bundle.
 * @param programUrl `import.meta.url` of the program file.
 */
export function relayCommandBeside(programUrl: string): readonly string[] {
  const extension = /\.[cm]?[jt]s$/.exec(programUrl)?.[0] ?? ".js";
  const program = fileURLToPath(new URL(`agent-relay${extension}`, programUrl));
  // A source file needs what this process was started with to find its siblings' sources.
  return [process.execPath, ...process.execArgv, program];
}
