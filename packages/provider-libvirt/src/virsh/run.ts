import { execa } from "execa";

/** Runs a program of this machine, without a shell. */
export type Run = (program: string, args: readonly string[], options: RunOptions) => Promise<RunResult>;

export interface RunOptions {
  /** Kills the program. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a program ended. Never an exception: a failure is a result too. */
export interface RunResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it did not run to its end: not found, killed after its time, too much output. */
  readonly failure?: { readonly kind: "missing" | "timeout" | "other"; readonly message: string };
}

/** Capabilities of large hosts and lists of domains stay far below. */
const MAX_OUTPUT_CHARACTERS = 16 * 1024 * 1024;

/** The real {@link Run}. An abort kills the program and is no failure of it: the caller looks at the signal. */
export const runProgram: Run = async (program, args, { signal, timeoutMs, env }) => {
  const result = await execa(program, args, {
    stdin: "ignore",
    env,
    extendEnv: false,
    reject: false,
    cancelSignal: signal,
    killSignal: "SIGKILL",
    timeout: timeoutMs,
    maxBuffer: MAX_OUTPUT_CHARACTERS,
    stripFinalNewline: false,
  });
  const { stdout, stderr } = result;
  if (!result.failed) return { ok: true, stdout, stderr };
  if (result.exitCode !== undefined && !result.isMaxBuffer) return { ok: false, stdout, stderr };
  const kind = result.timedOut ? "timeout" : result.code === "ENOENT" ? "missing" : "other";
  return { ok: false, stdout, stderr, failure: { kind, message: result.shortMessage ?? "it failed" } };
};
