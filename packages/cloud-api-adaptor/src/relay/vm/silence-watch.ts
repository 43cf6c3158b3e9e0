export interface SilenceWatchOptions {
  /** How long the agent may stay silent after a health check. */
  readonly limitMs: number;
  /** Answers received from the VM so far. */
  readonly answers: () => number;
  /** Whether we ourselves are not reading, because the shim does not; silence proves nothing then. */
  readonly isBlocked: () => boolean;
  readonly onSilent: () => void;
}

/**
 * Notices a VM that has vanished without closing its connection. The agent answers health checks at once, whatever
 * else it does; when not a single answer came for a while after one, the connection is dead, long before TCP says so.
 */
export class SilenceWatch implements Disposable {
  readonly #options: SilenceWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #answersBefore = 0;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  /** A check goes out now. While an earlier one is unanswered, its time counts. */
  checkSent(): void {
    const { limitMs, answers, isBlocked, onSilent } = this.#options;
    if (this.#timer !== undefined && answers() === this.#answersBefore) return;
    clearTimeout(this.#timer);
    this.#answersBefore = answers();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (answers() === this.#answersBefore && !isBlocked()) onSilent();
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
