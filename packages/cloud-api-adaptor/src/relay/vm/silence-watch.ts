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
  /** Runs while a check may be unanswered. It is not moved with each check, since checks may come by the thousand. */
  #timer: NodeJS.Timeout | undefined;
  #answersBefore = 0;
  /** When the first unanswered check went out, on the clock of `performance.now()`. */
  #since = 0;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  /** A check goes out now. While an earlier one is unanswered, its time counts. */
  checkSent(): void {
    const answers = this.#options.answers();
    if (this.#timer !== undefined && answers === this.#answersBefore) return;
    this.#answersBefore = answers;
    this.#since = performance.now();
    this.#timer ??= this.#wait(this.#options.limitMs);
  }

  #wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#judge(), ms).unref();
  }

  #judge(): void {
    const { limitMs, answers, isBlocked, onSilent } = this.#options;
    const left = Math.ceil(this.#since + limitMs - performance.now());
    const isSilent = answers() === this.#answersBefore;
    this.#timer = isSilent && left > 0 ? this.#wait(left) : undefined;
    if (isSilent && left <= 0 && !isBlocked()) onSilent();
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
