import { type ExecFileException, execFile } from "node:child_process";
import { PodNetworkError } from "../errors.ts";

/** One program to run. */
export interface CommandRequest {
  readonly program: string;
  readonly args: readonly string[];
  /** Written to standard input, which is then closed. */
  readonly input: string;
  /** The program is killed after this time and the call rejects with `timeout`. */
  readonly timeoutMs: number;
  /** Kills the program. Only given where the program changes nothing. */
  readonly signal?: AbortSignal | undefined;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Rejects only when it could not be started or was killed; see {@link runCommand}. */
export type RunCommand = (request: CommandRequest) => Promise<CommandResult>;

/** More than any listing of a node with thousands of links. */
export const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Runs a program of this machine.
 *
 * By `node:child_process` itself: a node that starts many pods at once spends most of its time here, and a process
 * library added half as much again to each run.
 * @throws PodNetworkError `tool_missing`, `timeout`, `command_failed` (killed by a signal).
 * @throws the reason of `signal` when it aborts.
 */
export const runCommand: RunCommand = ({ program, args, input, timeoutMs, signal }) => {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const options = {
    timeout: timeoutMs,
    // The programs hold nothing that they would have to release.
    killSignal: "SIGKILL",
    maxBuffer: MAX_OUTPUT_BYTES,
    // Messages are compared with what the programs say in English.
    env: { ...process.env, LC_ALL: "C" },
    signal,
  } as const;
  const child = execFile(program, args, options, (error, stdout, stderr) => {
    const exitCode = error === null ? 0 : error.code;
    if (typeof exitCode === "number") resolve({ exitCode, stdout, stderr });
    else reject(signal?.aborted ? (signal.reason as Error) : startError(error, program, timeoutMs));
  });
  // A program that fails early closes its input; its exit code and messages say more than the broken pipe.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  return promise;
};

function startError(error: ExecFileException | null, program: string, timeoutMs: number): PodNetworkError {
  if (error?.code === "ENOENT") return missingTool(program);
  if (error?.killed === true && error.signal === "SIGKILL") return overdue(program, timeoutMs);
  return new PodNetworkError("command_failed", `${program} did not run to its end`, { cause: error });
}

export function missingTool(program: string): PodNetworkError {
  return new PodNetworkError(
    "tool_missing",
    `${program} is not installed; install iproute2, nftables and util-linux`,
  );
}

export function overdue(program: string, timeoutMs: number): PodNetworkError {
  return new PodNetworkError("timeout", `${program} did not end within ${timeoutMs} ms`);
}
