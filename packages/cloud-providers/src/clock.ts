import { setTimeout as wait } from "node:timers/promises";

/** Time, as a parameter, so that retries, leases and breakers need no waiting in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`; rejects with `signal.reason` when aborted before. */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** The machine's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, { signal } = {}) {
    try {
      await wait(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // Node reports every abort alike; the reason is what callers want.
      signal?.throwIfAborted();
      throw error;
    }
  },
};
