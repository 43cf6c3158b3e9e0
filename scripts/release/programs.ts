import { execa, ExecaError } from "execa";
import { ReleaseError } from "./errors.ts";

/** Longest time that one program may take; building everything from nothing is the longest. */
const PROGRAM_TIMEOUT_MS = 15 * 60_000;

/** Where a program runs, and what ends it early. */
export interface Place {
  readonly dir: string;
  readonly signal: AbortSignal;
}

/** What a program printed on standard output, without the last line break. @throws ReleaseError `failed` */
export async function output(place: Place, program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execa(program, args, {
      cwd: place.dir,
      cancelSignal: place.signal,
      timeout: PROGRAM_TIMEOUT_MS,
      stdin: "ignore",
    });
    return stdout;
  } catch (error) {
    place.signal.throwIfAborted();
    throw failed(error, `${program} ${args.join(" ")}`);
  }
}

/** Whether a program ends with 0. Its output is of no interest. */
export async function succeeds(place: Place, program: string, args: readonly string[]): Promise<boolean> {
  const { exitCode } = await execa(program, args, {
    cwd: place.dir,
    cancelSignal: place.signal,
    timeout: PROGRAM_TIMEOUT_MS,
    stdin: "ignore",
    reject: false,
  });
  place.signal.throwIfAborted();
  return exitCode === 0;
}

export async function git(place: Place, ...args: readonly string[]): Promise<string> {
  return await output(place, "git", args);
}

function failed(error: unknown, command: string): ReleaseError {
  // Compilers complain on standard output.
  const said =
    error instanceof ExecaError ? [error.stderr, error.stdout].filter(Boolean).join("\n") : String(error);
  const lines = said.trim().split("\n").slice(-20).join("\n");
  return new ReleaseError("failed", `${command} failed:\n${lines}`, {
    remedy: "mend what it says and run the release again; it goes on where it stopped",
    cause: error,
  });
}
