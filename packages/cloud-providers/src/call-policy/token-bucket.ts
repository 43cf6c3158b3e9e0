import type { Clock } from "../clock.ts";
import { ProviderError } from "../errors.ts";

/** Size and refill of a {@link TokenBucket}. */
export interface TokenBucketOptions {
  readonly clock: Clock;
  /** How many calls may go out at once after a pause. */
  readonly capacity: number;
  readonly refillPerSecond: number;
}

/** How long, and behind whom, a caller waits for a token. */
export interface TokenWait {
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly deadline?: number;
  /**
   * Begins something new, so it waits behind all that do not. Otherwise a crowd of beginnings would keep the
   * calls waiting that finish or undo what was begun, until all of it has run out of time.
   */
  readonly begins?: boolean;
}

/** Limits a rate of calls. */
export interface TokenBucket {
  /**
   * Waits for one token, each kind of caller in the order in which it came.
   * @throws ProviderError `throttled`, as soon as it is clear that none will be there before `deadline`;
   * `signal.reason` on abort.
   */
  take(wait: TokenWait): Promise<void>;
  /** Takes tokens for calls that were made already (an SDK's own retries). */
  debit(calls: number): void;
  /** Tokens at this moment; negative after a debit beyond what was there. */
  level(): number;
}

interface Waiter {
  readonly deadline: number;
  readonly admit: () => void;
  readonly refuse: (error: unknown) => void;
}

/** A full bucket. It has a timer only while someone waits. */
export function createTokenBucket(options: TokenBucketOptions): TokenBucket {
  return new Bucket(options);
}

class Bucket implements TokenBucket {
  readonly #options: TokenBucketOptions;
  readonly #lanes: { readonly first: Set<Waiter>; readonly last: Set<Waiter> } = {
    first: new Set(),
    last: new Set(),
  };
  #tokens: number;
  #countedAt: number;
  #pump: AbortController | undefined;

  constructor(options: TokenBucketOptions) {
    if (!(options.capacity >= 1 && options.refillPerSecond > 0))
      throw new RangeError("a token bucket needs a capacity of 1 or more and a refill above 0");
    this.#options = options;
    this.#tokens = options.capacity;
    this.#countedAt = options.clock.now();
  }

  level(): number {
    const { clock, capacity, refillPerSecond } = this.#options;
    const now = clock.now();
    this.#tokens = Math.min(capacity, this.#tokens + ((now - this.#countedAt) / 1_000) * refillPerSecond);
    this.#countedAt = now;
    return this.#tokens;
  }

  debit(calls: number): void {
    this.#tokens = this.level() - calls;
  }

  async take({ signal, deadline = Infinity, begins = false }: TokenWait): Promise<void> {
    signal.throwIfAborted();
    const { first, last } = this.#lanes;
    if (first.size + last.size === 0 && this.level() >= 1) {
      this.#tokens -= 1;
      return;
    }
    const ahead = begins ? first.size + last.size : first.size;
    if (this.#options.clock.now() + this.#waitMs(ahead) >= deadline) throw this.#tooLate(ahead);
    const lane = begins ? last : first;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = {
      deadline,
      admit: () => this.#leave(waiter, resolve),
      refuse: (error) => this.#leave(waiter, () => reject(error)),
    };
    const giveUp = () => waiter.refuse(signal.reason);
    lane.add(waiter);
    signal.addEventListener("abort", giveUp, { once: true });
    if (this.#pump === undefined) void this.#serve();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  #leave(waiter: Waiter, settle: () => void): void {
    const { first, last } = this.#lanes;
    first.delete(waiter);
    last.delete(waiter);
    settle();
    if (first.size + last.size > 0) return;
    this.#pump?.abort();
    this.#pump = undefined;
  }

  /** Hands out tokens as they come, until no one waits. */
  async #serve(): Promise<void> {
    const { clock } = this.#options;
    const { first, last } = this.#lanes;
    const pump = new AbortController();
    this.#pump = pump;
    while (!pump.signal.aborted) {
      const waitMs = this.#waitMs(0);
      if (waitMs > 0) await clock.sleep(Math.ceil(waitMs), pump).catch(() => undefined);
      if (pump.signal.aborted || this.level() < 1) continue;
      const [next] = first.size > 0 ? first : last;
      this.#tokens -= 1;
      next?.admit();
      this.#refuseLate();
    }
  }

  /** Those that others have overtaken may have become too late. */
  #refuseLate(): void {
    let ahead = this.#lanes.first.size;
    for (const waiter of this.#lanes.last) {
      if (this.#options.clock.now() + this.#waitMs(ahead) >= waiter.deadline)
        waiter.refuse(this.#tooLate(ahead));
      else ahead += 1;
    }
  }

  /**
   * How long the caller behind so many others waits for its token, if no one overtakes it. More than 0 whenever the level is
   * below 1: added to a time, the last bit of a wait would be lost, and the pump would turn without end.
   */
  #waitMs(ahead: number): number {
    return Math.max(0, ((ahead + 1 - this.level()) / this.#options.refillPerSecond) * 1_000);
  }

  #tooLate(ahead: number): ProviderError {
    return new ProviderError(
      "throttled",
      `our limit of ${this.#options.refillPerSecond} calls a second is used up until after the deadline`,
      { retryAfterMs: this.#waitMs(ahead) },
    );
  }
}
