/**
 * One piece of work that several callers wait for. It is aborted when the last of them has left, and by `cancel`.
 */
export class SharedAttempt {
  readonly #cancelling = new AbortController();
  readonly #done: Promise<void>;
  #waiting = 0;
  #ended = false;

  constructor(work: (options: { readonly signal: AbortSignal }) => Promise<void>) {
    this.#done = work({ signal: this.#cancelling.signal }).finally(() => {
      this.#ended = true;
    });
    // Those who wait see the failure; with nobody left it concerns nobody.
    this.#done.catch(() => undefined);
  }

  /** Resolves or rejects as the work does, or rejects with `signal.reason` when this caller leaves. */
  async join({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    this.#waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal.reason as Error);
    signal.addEventListener("abort", leave, { once: true });
    try {
      await Promise.race([this.#done, left.promise]);
    } finally {
      signal.removeEventListener("abort", leave);
      this.#waiting -= 1;
      if (this.#waiting === 0) this.cancel(signal.reason);
    }
  }

  /** Aborts the work; without effect once it is done. */
  cancel(reason: unknown): void {
    // The signal outlives the work, in what the work has made, and would keep an error with its stack.
    if (!this.#ended) this.#cancelling.abort(reason);
  }

  /** Settles when the work has ended, however. */
  async settled(): Promise<void> {
    await this.#done.catch(() => undefined);
  }
}
