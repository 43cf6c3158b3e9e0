/** Lets one in at a time, in the order of asking. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();

  /** Waits for one's turn; disposing what it returns ends the turn. Giving up while waiting leaves the order intact. */
  async enter(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    const before = this.#last;
    const { promise: turn, resolve: leave } = Promise.withResolvers<void>();
    this.#last = before.then(() => turn);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([before, aborted]);
    } catch (error) {
      leave();
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
    return { [Symbol.dispose]: leave };
  }
}
