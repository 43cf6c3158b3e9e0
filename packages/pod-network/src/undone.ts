import { PodNetworkError } from "./errors.ts";

/** Undoing does not listen to the caller's signal, which may be the reason for it. */
export const undoTimeoutMs = 30_000;

/** What a failed set-up rejects with: its own error, or one that also tells what could not be undone. */
export function undoneError(error: unknown, remains: readonly unknown[]): unknown {
  if (remains.length === 0) return error;
  const code = error instanceof PodNetworkError ? error.code : "command_failed";
  const message = `${error instanceof Error ? error.message : String(error)}; undoing what was done failed as well`;
  return new PodNetworkError(code, message, { cause: error, errors: remains });
}
