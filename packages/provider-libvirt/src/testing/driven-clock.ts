import { FakeClock } from "@peerpods/cloud-providers/testing";

/** A step of time that no wait of the provider is shorter than by much. */
const STEP_MS = 100;

/**
 * A clock for tests with real programs: time stands still while one of them runs, and moves on quickly while all of them
 * are silent, so that retries and deadlines cost no real time.
 */
export class DrivenClock extends FakeClock {
  readonly #busy: () => number;

  constructor(busy: () => number) {
    super();
    this.#busy = busy;
  }

  /** Moves time until the promise has settled. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    for (;;) {
      // Real time for real programs and files; also lets what they set off happen.
      for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (settled) return await promise;
      if (this.#busy() > 0) await new Promise((resolve) => setTimeout(resolve, 2));
      else await this.advance(STEP_MS);
    }
  }
}
