import type { Clock } from "./ports.ts";

/**
 * Runs `act` with a signal that aborts with `parent` or after `timeoutMs`, and waits no longer than that signal: whoever
 * ignores it is left behind.
 */
export async function withDeadline<T>(
  { clock, parent, timeoutMs, what }: { clock: Clock; parent: AbortSignal; timeoutMs: number; what: string },
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  parent.throwIfAborted();
  const own = new AbortController();
  const stopTimer = new AbortController();
  const signal = AbortSignal.any([parent, own.signal]);
  const timer = clock.sleep(timeoutMs, { signal: stopTimer.signal }).then(
    () => own.abort(new Error(`${what} took longer than ${timeoutMs} ms`)),
    () => undefined,
  );
  try {
    return await settleOrAbort(act(signal), signal);
  } finally {
    stopTimer.abort();
    await timer;
  }
}

/** The promise's outcome, or rejection with `signal.reason` when that comes first. The promise is not stopped. */
export async function settleOrAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Whichever lost the race must not become an unhandled rejection.
    aborted.catch(() => undefined);
    promise.catch(() => undefined);
  }
}

/**
 * Runs acts side by side. When one fails the others' signal aborts, and all are waited for, so that nothing is still
 * under way when this rejects with the first failure.
 */
export async function allOrAbort(
  parent: AbortSignal,
  acts: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([parent, failed.signal]);
  const failures: unknown[] = [];
  await Promise.all(
    acts.map(async (act) => {
      try {
        await act(signal);
      } catch (error) {
        failures.push(error);
        failed.abort(error);
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
}
