import { EventEmitter } from "node:events";
import { createProviderRegistry, type CloudProvider } from "@peerpods/cloud-providers";
import { runProgram } from "../manager/program.ts";

/** What a command of the program gave. */
export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program at work. Disposal ends it as SIGTERM does, and waits. */
export interface StartedProgram extends AsyncDisposable {
  /** Everything that it has written so far. */
  log(): string;
  /** Its exit code. */
  readonly done: Promise<number>;
}

/** Starts the program in this process, with these providers built in. */
export function startProgram(
  argv: readonly string[],
  providers: readonly CloudProvider[] = [],
): StartedProgram & { output(): Omit<CommandRun, "code"> } {
  let [stdout, stderr] = ["", ""];
  const signals = new EventEmitter();
  const done = runProgram({
    argv,
    env: {},
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    terminal: false,
    signals,
    exitNow: () => undefined,
    registry: createProviderRegistry(providers),
    importPackage: (specifier) => import(specifier) as Promise<unknown>,
    hostname: "test",
    podNamespace: "",
  });
  return {
    done,
    log: () => stdout + stderr,
    output: () => ({ stdout, stderr }),
    async [Symbol.asyncDispose]() {
      signals.emit("SIGTERM", "SIGTERM");
      await done;
    },
  };
}

/** Runs a command of the program to its end. */
export async function runCommand(argv: readonly string[]): Promise<CommandRun> {
  const program = startProgram(argv);
  const code = await program.done;
  return { code, ...program.output() };
}
