import type { Clock } from "../clock.ts";
import { ProviderError } from "../errors.ts";

/** Size and refill of a {@link TokenBucket}. */
export interface TokenBucketOptions {
  readonly clock: Clock;
  /** How many calls may go out at once after a pause. */
  readonly capacity: number;
  readonly refillPerSecond: number;
}

/** Limits a rate of calls. Callers are served in the order in which they came. */
export interface TokenBucket {
  /**
   * Waits for one token.
   * @throws ProviderError `throttled`, at once, when none will be there before `deadline`; `signal.reason` on abort.
   */
  take(limits: { readonly signal: AbortSignal; readonly deadline?: number }): Promise<void>;
  /** Takes tokens for calls that were made already (an SDK's own retries); later callers wait for them. */
  debit(calls: number): void;
  /** Tokens at this moment; negative while callers wait. */
  level(): number;
}

/** A full bucket. */
export function createTokenBucket({ clock, capacity, refillPerSecond }: TokenBucketOptions): TokenBucket {
  let tokens = capacity;
  let countedAt = clock.now();
  const level = () => {
    const now = clock.now();
    tokens = Math.min(capacity, tokens + ((now - countedAt) / 1_000) * refillPerSecond);
    countedAt = now;
    return tokens;
  };
  return {
    level,
    debit(calls) {
      tokens = level() - calls;
    },
    async take({ signal, deadline = Infinity }) {
      signal.throwIfAborted();
      // A reservation below zero is a place in the queue: whoever comes later waits longer.
      const waitMs = Math.max(0, ((1 - level()) / refillPerSecond) * 1_000);
      if (clock.now() + waitMs >= deadline) {
        throw new ProviderError(
          "throttled",
          `our limit of ${refillPerSecond} calls a second is used up until after the deadline`,
          { retryAfterMs: waitMs },
        );
      }
      tokens -= 1;
      if (waitMs === 0) return;
      try {
        await clock.sleep(waitMs, { signal });
      } catch (error) {
        tokens = level() + 1;
        throw error;
      }
    },
  };
}
