import { execa } from "execa";
import { ImageError } from "./image.ts";

/** Runs a program of this machine, without a shell. @returns what it printed. */
export type Run = (program: string, args: readonly string[], options?: RunOptions) => Promise<string>;

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string;
  /** Exit codes beside 0 that are no failure. */
  readonly alsoAccept?: readonly number[];
}

/** The real {@link Run}. @throws ImageError that names the program, and what it said. */
export function runUntil(signal: AbortSignal): Run {
  return async (program, args, { cwd, input, alsoAccept = [] } = {}) => {
    const { failed, exitCode, stdout, stderr, shortMessage, code } = await execa(program, args, {
      reject: false,
      cancelSignal: signal,
      ...(cwd === undefined ? {} : { cwd }),
      ...(input === undefined ? { stdin: "ignore" } : { input }),
    });
    signal.throwIfAborted();
    if (!failed || (exitCode !== undefined && alsoAccept.includes(exitCode))) return stdout;
    if (code === "ENOENT") throw new ImageError(`this machine has no ${program}`);
    throw new ImageError(`${shortMessage ?? program}: ${stderr.trim().slice(-1_000)}`);
  };
}
