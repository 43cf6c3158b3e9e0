export interface SilenceWatchOptions {
  /** How long the agent may stay silent after a health check. */
  readonly limitMs: number;
  /** Bytes received from the VM so far. */
  readonly receivedBytes: () => number;
  /** Whether we ourselves are not reading, because the shim does not; silence proves nothing then. */
  readonly isBlocked: () => boolean;
  readonly onSilent: () => void;
}

/**
 * Notices a VM that has vanished without closing its connection. The agent answers health checks at once, whatever
 * else it does; when not a single byte came for a while after one, the connection is dead, long before TCP says so.
 */
export class SilenceWatch implements Disposable {
  readonly #options: SilenceWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #receivedBefore = 0;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  /** A check goes out now. While an earlier one is unanswered, its time counts. */
  checkSent(): void {
    const { limitMs, receivedBytes, isBlocked, onSilent } = this.#options;
    if (this.#timer !== undefined && receivedBytes() === this.#receivedBefore) return;
    clearTimeout(this.#timer);
    this.#receivedBefore = receivedBytes();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (receivedBytes() === this.#receivedBefore && !isBlocked()) onSilent();
    }, limitMs);
    this.#timer.unref();
  }

  /** Forgets the check that is waited for: its connection is gone. */
  reset(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  [Symbol.dispose](): void {
    this.reset();
  }
}
