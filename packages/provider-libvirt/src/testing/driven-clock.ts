import { FakeClock } from "@peerpods/cloud-providers/testing";

/** Real time in which nothing may happen before this clock moves: programs end and are started in between. */
const QUIET_MS = 6;

/**
 * A clock for tests with real programs: time stands still while one of them runs or a file is read or written, and jumps
 * to the next timer when all are silent, so that retries and deadlines cost no real time.
 */
export class DrivenClock extends FakeClock {
  readonly #busy: () => number;
  readonly #due = new Set<{ readonly at: number }>();

  /** @param busy how many programs run at this moment, without those that will never end. */
  constructor(busy: () => number) {
    super();
    this.#busy = busy;
  }

  override async sleep(ms: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const timer = { at: this.now() + Math.max(0, ms) };
    this.#due.add(timer);
    try {
      await super.sleep(ms, options);
    } finally {
      this.#due.delete(timer);
    }
  }

  /** Moves time until the promise has settled. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    for (let quiet = 0; ;) {
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS / 2));
      if (settled) return await promise;
      quiet = this.#isQuiet() ? quiet + 1 : 0;
      if (quiet < 2 || this.#due.size === 0) continue;
      quiet = 0;
      const next = Math.min(...[...this.#due].map(({ at }) => at));
      await this.advance(next - this.now());
    }
  }

  /** Files and directories that are read, written or closed are requests of Node. */
  #isQuiet(): boolean {
    return this.#busy() === 0 && !process.getActiveResourcesInfo().some((name) => name.includes("Req"));
  }
}
