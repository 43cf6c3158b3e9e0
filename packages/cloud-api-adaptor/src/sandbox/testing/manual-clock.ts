import type { Clock, WaitOptions } from "../ports.ts";

interface Timer {
  readonly atMs: number;
  readonly ring: () => void;
}

/** A clock that stands still until it is advanced. */
export class ManualClock implements Clock {
  #nowMs = Date.UTC(2026, 0, 1);
  #timers: Timer[] = [];

  now(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, { signal }: WaitOptions): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = { atMs: this.#nowMs + ms, ring: resolve };
    this.#timers.push(timer);
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#timers = this.#timers.filter((other) => other !== timer);
    }
  }

  /** Lets time pass, timer by timer, and gives whoever wakes up the chance to act before the next one rings. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.ring();
      await settle();
    }
    this.#nowMs = endMs;
    await settle();
  }

  /** Timers that somebody waits for. */
  get waiting(): number {
    return this.#timers.length;
  }
}

/** Gives everything that can go on without time passing the chance to do so; file operations included. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
