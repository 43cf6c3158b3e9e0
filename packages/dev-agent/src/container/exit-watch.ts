import { readFile } from "node:fs/promises";

/** How often a process is looked at, when nothing else tells that it may have ended. */
const POLL_MS = 100;

/**
 * Watches processes that are not our children. Each look first calls `onLook`, so that counters are read before the
 * process counts as ended.
 */
export class ExitWatch implements Disposable {
  readonly #pid: number;
  readonly #onLook: () => Promise<void>;
  readonly #ended = Promise.withResolvers<void>();
  readonly #timer: NodeJS.Timeout;
  #looking = false;

  constructor(pid: number, onLook: () => Promise<void>) {
    this.#pid = pid;
    this.#onLook = onLook;
    this.#timer = setInterval(() => this.look(), POLL_MS);
    this.#timer.unref();
  }

  /** Fulfilled when the process has ended. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Looks now; for when there is a sign that the process has ended. */
  look(): void {
    if (this.#looking) return;
    this.#looking = true;
    void this.#look().finally(() => {
      this.#looking = false;
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const ended = await hasEnded(this.#pid);
    // After the process, because a counter may rise until its end.
    await this.#onLook();
    if (!ended) return;
    this[Symbol.dispose]();
    this.#ended.resolve();
  }
}

/** Gone, or a zombie that its parent has not yet looked at. */
async function hasEnded(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name in parentheses may itself hold parentheses and spaces.
  const state = stat?.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  return state === undefined || state === "Z" || state === "X";
}
