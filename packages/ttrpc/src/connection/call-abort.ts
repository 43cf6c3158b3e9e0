import type { ConnectError } from "@connectrpc/connect";
import { abortError, deadlineError } from "../status/errors.ts";
import { startTimer } from "./timers.ts";

export interface CallLimits {
  readonly signal?: AbortSignal | undefined;
  /** Time for the whole call in milliseconds; undefined is none, 0 or less is already over. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Calls `onAbort` once when the signal aborts or the time is over, at once if that is already so. Returns what stops
 * the watch.
 */
export function watchAbort(limits: CallLimits, onAbort: (error: ConnectError) => void): () => void {
  const { signal, timeoutMs } = limits;
  if (signal?.aborted === true) {
    onAbort(abortError(signal));
    return noop;
  }
  if (timeoutMs !== undefined && timeoutMs <= 0) {
    onAbort(deadlineError());
    return noop;
  }
  if (signal === undefined && timeoutMs === undefined) return noop;
  const onSignal = (): void => {
    stop();
    if (signal !== undefined) onAbort(abortError(signal));
  };
  const stop = (): void => {
    cancelTimer?.();
    signal?.removeEventListener("abort", onSignal);
  };
  const onElapsed = (): void => {
    stop();
    onAbort(deadlineError());
  };
  const cancelTimer = timeoutMs === undefined ? undefined : startTimer(timeoutMs, onElapsed);
  signal?.addEventListener("abort", onSignal);
  return stop;
}

function noop(): void {}
