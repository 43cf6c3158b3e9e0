import type { Clock } from "@peerpods/cloud-providers";

/** A limit that begins now. Disposing it stops its timer. */
export interface TimeLimit extends Disposable {
  readonly signal: AbortSignal;
  /** The same as a point in time, milliseconds since the epoch. */
  readonly deadline: number;
}

/** `signal` aborts with a `TimeoutError` after `ms` on this clock. */
export function timeLimit(clock: Clock, ms: number): TimeLimit {
  const end = new AbortController();
  const over = new AbortController();
  clock.sleep(ms, { signal: over.signal }).then(
    () => end.abort(new DOMException(`${ms} ms are over`, "TimeoutError")),
    () => undefined,
  );
  return { signal: end.signal, deadline: clock.now() + ms, [Symbol.dispose]: () => over.abort() };
}
