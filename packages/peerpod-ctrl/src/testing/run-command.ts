import { EventEmitter } from "node:events";
import { createProviderRegistry } from "@peerpods/cloud-providers";
import { runProgram } from "../manager/program.ts";

/** What a command of the program gave. */
export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the program in this process, without providers. */
export async function runCommand(argv: readonly string[]): Promise<CommandRun> {
  let stdout = "";
  let stderr = "";
  const code = await runProgram({
    argv,
    env: {},
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    terminal: false,
    signals: new EventEmitter(),
    exitNow: () => undefined,
    registry: createProviderRegistry(),
    importPackage: (specifier) => import(specifier) as Promise<unknown>,
    hostname: "test",
    podNamespace: "",
  });
  return { code, stdout, stderr };
}
