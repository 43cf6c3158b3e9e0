import type { RelayControl } from "../../sandbox/relay-port.ts";

export interface IdleTimerOptions {
  /** 0 never expires. */
  readonly limitMs: number;
  /** Whether there is something to stay for right now. */
  readonly isBusy: () => boolean;
}

/** Looks so often within the limit; how much later than the limit it may be noticed. */
const LOOKS = 10;

/** Expires when nothing has happened for a while. */
export class IdleTimer implements Disposable {
  readonly #expired = Promise.withResolvers<"idle">();
  readonly #timer: NodeJS.Timeout | undefined;
  #lastActiveMs = performance.now();

  constructor({ limitMs, isBusy }: IdleTimerOptions) {
    if (limitMs === 0) return;
    this.#timer = setInterval(() => {
      if (isBusy()) this.#touch();
      if (performance.now() - this.#lastActiveMs >= limitMs) this.#expired.resolve("idle");
    }, limitMs / LOOKS);
  }

  /** Resolves when the limit is reached. */
  get expired(): Promise<"idle"> {
    return this.#expired.promise;
  }

  /** The same relay, each call to which counts as activity. */
  observing(relay: RelayControl): RelayControl {
    const active = <T>(call: () => T): T => {
      this.#touch();
      return call();
    };
    return {
      hello: (options) => active(() => relay.hello(options)),
      open: (request, options) => active(() => relay.open(request, options)),
      close: (sandboxId, options) => active(() => relay.close(sandboxId, options)),
      list: (options) => active(() => relay.list(options)),
      watch: (options) => active(() => relay.watch(options)),
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #touch(): void {
    this.#lastActiveMs = performance.now();
  }
}
