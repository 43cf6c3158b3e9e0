import { execa } from "execa";

/** What flock(1) ends with when it did not get the lock. */
const NOT_LOCKED_STATUS = 75;

/** The file that the relay of a control socket holds locked as long as it lives. */
export function lockPathOf(socketPath: string): string {
  return `${socketPath}.lock`;
}

/**
 * The command line of a relay that runs only if it gets the lock. The lock is on a descriptor that the relay inherits, so
 * the kernel gives it up whenever and however the relay ends.
 */
export function lockedCommand(socketPath: string, command: readonly string[]): readonly string[] {
  return ["flock", "--no-fork", ...flockArguments(socketPath), ...command, "--socket", socketPath];
}

/** Whether a relay of this control socket lives. */
export async function isLocked(
  socketPath: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<boolean> {
  const { exitCode } = await execa("flock", [...flockArguments(socketPath), "true"], {
    reject: false,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  return exitCode === NOT_LOCKED_STATUS;
}

function flockArguments(socketPath: string): readonly string[] {
  return ["--nonblock", "--conflict-exit-code", String(NOT_LOCKED_STATUS), lockPathOf(socketPath)];
}
