import { execa } from "execa";

/** Options of one command. */
export interface RunOptions {
  readonly signal: AbortSignal;
  /** Time limit, default 60 s. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end and returns its standard output. Throws CommandError when it fails. */
export type Run = (program: string, args: readonly string[], options: RunOptions) => Promise<string>;

/** A program that did not end with 0; the message ends with what it last wrote to standard error. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number | undefined;

  constructor(message: string, options: { exitCode: number | undefined; cause: unknown }) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode;
  }
}

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

export const run: Run = async (program, args, { signal, timeoutMs = 60_000 }) => {
  const result = await execa(program, args, {
    cancelSignal: signal,
    timeout: timeoutMs,
    stdin: "ignore",
    maxBuffer: MAX_OUTPUT_BYTES,
    reject: false,
  });
  if (!result.failed) return result.stdout;
  signal.throwIfAborted();
  const reason = result.timedOut
    ? `no end after ${timeoutMs} ms`
    : result.stderr.trim().split("\n").slice(-3).join("; ") ||
      result.originalMessage ||
      `exit code ${String(result.exitCode)}`;
  throw new CommandError(`${program} ${args[0] ?? ""}: ${reason}`, {
    exitCode: result.exitCode,
    cause: result,
  });
};
