import type { Clock } from "../clock.ts";

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

/** Turns of the event loop given to promise chains and finished I/O before time is said to stand still. */
const TURNS = 3;

/**
 * A clock that moves only when it is told to. Timers fire in order, and what they set off runs before the next one.
 *
 * {@link runUntil} is the usual way: it jumps from timer to timer until a promise has settled, however long that takes on
 * this clock, and takes no real time.
 */
export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Sleepers that have not woken. Zero at the end of a test, or something was left running. */
  get pending(): number {
    return this.#timers.size;
  }

  sleep(ms: number, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#timers.delete(timer);
        reject(signal?.reason as Error);
      };
      const timer = {
        at: this.#now + Math.max(0, ms),
        fire: () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#timers.add(timer);
    });
  }

  /** Moves time on by `ms`, firing what becomes due on the way, also timers that are set meanwhile. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = this.#next();
      if (next === undefined || next.at > end) break;
      this.#fire(next);
    }
    this.#now = end;
    await settle();
  }

  /**
   * Jumps from timer to timer until the promise has settled, and returns or throws what it did.
   * @throws Error when nothing is left to wait for and the promise is still open for `realMs` (default 2 s) of real time.
   */
  async runUntil<Result>(promise: Promise<Result>, { realMs = 2_000 } = {}): Promise<Result> {
    let settled = false;
    const markSettled = () => {
      settled = true;
    };
    promise.then(markSettled, markSettled);
    let idleSince: number | undefined;
    for (;;) {
      await settle();
      if (settled) return await promise;
      const next = this.#next();
      if (next !== undefined) {
        idleSince = undefined;
        this.#fire(next);
        continue;
      }
      // Real I/O may be under way; give it real time.
      idleSince ??= performance.now();
      if (performance.now() - idleSince > realMs)
        throw new Error("FakeClock: no timer is set and the promise does not settle");
    }
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
    return next;
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.fire();
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}
