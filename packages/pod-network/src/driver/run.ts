import { execa } from "execa";
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
const maxOutputBytes = 64 * 1024 * 1024;

/**
 * Runs a program of this machine.
 * @throws PodNetworkError `tool_missing`, `timeout`, `command_failed` (killed by a signal).
 * @throws the reason of `signal` when it aborts.
 */
export const runCommand: RunCommand = async ({ program, args, input, timeoutMs, signal }) => {
  const result = await execa(program, args, {
    input,
    reject: false,
    timeout: timeoutMs,
    maxBuffer: maxOutputBytes,
    // Messages are compared with what the programs say in English.
    env: { LC_ALL: "C" },
    forceKillAfterDelay: 1000,
    ...(signal && { cancelSignal: signal }),
  });
  if (result.isCanceled) signal?.throwIfAborted();
  if (result.timedOut) {
    throw new PodNetworkError("timeout", `${program} did not end within ${timeoutMs} ms`);
  }
  if (result.code === "ENOENT") {
    throw new PodNetworkError(
      "tool_missing",
      `${program} is not installed; install iproute2, nftables and util-linux`,
    );
  }
  if (result.exitCode === undefined) {
    throw new PodNetworkError("command_failed", `${program} did not run to its end`, { cause: result });
  }
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
};
