import { setTimeout as pause } from "node:timers/promises";
import type { CallPolicy } from "../call-policy/call-policy.ts";
import type { Clock } from "../clock.ts";

/** Idle turns of the event loop, in a row, before time moves on. */
const IDLE_TURNS = 6;

/**
 * A clock for code that calls a real server: while a call is on its way, time stands still; when all that is left to do is
 * to wait, it jumps to the next timer. So retries and polls take no real time, and no deadline passes because a
 * server on this machine is slow.
 */
export class DrivenClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<{ readonly at: number; readonly fire: () => void }>();
  readonly #held = new Set<{ stalled: boolean }>();
  readonly #busy: () => boolean;

  /** @param isBusy whether something else is under way that time has to wait for; default: never. */
  constructor(isBusy: () => boolean = () => false) {
    this.#busy = isBusy;
  }

  now(): number {
    return this.#now;
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

  /** A policy under which time stands still during every try. `onTry` hears of each. */
  watch(policy: CallPolicy, onTry?: () => void): CallPolicy {
    return {
      bucket: policy.bucket,
      breaker: policy.breaker,
      run: (operation, attempt, call) =>
        policy.run(
          operation,
          (one) => {
            onTry?.();
            return this.hold(() => attempt(one));
          },
          call,
        ),
    };
  }

  /** Time stands still until the work has ended. */
  async hold<Result>(work: () => Promise<Result>): Promise<Result> {
    const held = { stalled: false };
    this.#held.add(held);
    try {
      return await work();
    } finally {
      this.#held.delete(held);
    }
  }

  /** What is on its way now will never be answered, so time must not wait for it. */
  letGo(): void {
    for (const held of this.#held) held.stalled = true;
  }

  /** Moves time on whenever there is nothing else to do, until the promise has settled. */
  async runUntil<Result>(promise: Promise<Result>): Promise<Result> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    let idle = 0;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (settled) return await promise;
      if (this.#busy() || [...this.#held].some(({ stalled }) => !stalled)) {
        idle = 0;
        await pause(1);
        continue;
      }
      idle += 1;
      if (idle < IDLE_TURNS) continue;
      idle = 0;
      if (!this.#fireNext()) await pause(1);
    }
  }

  #fireNext(): boolean {
    const [next] = [...this.#timers].toSorted((a, b) => a.at - b.at);
    if (next === undefined) return false;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.fire();
    return true;
  }
}
