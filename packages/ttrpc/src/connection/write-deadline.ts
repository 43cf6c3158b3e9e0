import { startTimer } from "./timers.ts";

export interface WriteDeadlineOptions {
  /** Bytes that wait for the peer now. */
  readonly waiting: () => number;
  /** Bytes that have left since the beginning. */
  readonly taken: () => number;
  readonly timeoutMs: number;
  readonly giveUp: (cause: Error) => void;
}

/** Gives a peer up that takes nothing of what waits for it. */
export class WriteDeadline {
  readonly #options: WriteDeadlineOptions;
  #cancel: (() => void) | undefined;

  constructor(options: WriteDeadlineOptions) {
    this.#options = options;
  }

  /** Starts watching, if not already, until nothing waits any more. */
  watch(): void {
    const { waiting, taken, timeoutMs, giveUp } = this.#options;
    if (timeoutMs === 0 || this.#cancel !== undefined) return;
    const takenBefore = taken();
    this.#cancel = startTimer(timeoutMs, () => {
      this.#cancel = undefined;
      if (waiting() === 0) return;
      if (taken() === takenBefore) giveUp(new Error(`the peer took nothing for ${timeoutMs} ms`));
      else this.watch();
    });
  }

  clear(): void {
    this.#cancel?.();
  }
}
