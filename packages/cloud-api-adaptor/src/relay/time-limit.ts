/**
 * A signal that aborts with a `TimeoutError` after some time, unless it is disposed before. `AbortSignal.timeout` would
 * keep its timer, and with it whatever depends on the signal, for all that time: here that is minutes for each pod.
 */
export class TimeLimit implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(limitMs: number) {
    this.#timer = setTimeout(
      () => this.#controller.abort(new DOMException(`not done within ${limitMs} ms`, "TimeoutError")),
      limitMs,
    );
    this.#timer.unref();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
