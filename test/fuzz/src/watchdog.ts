import { Buffer } from "node:buffer";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";

/** An input during which the process does not come back at all for this long, or gets this large, is a finding. */
export const watchdogLimits = { silentMs: 10_000, rssBytes: 1 << 30 } as const;

/** V8 lets garbage outside its heap, such as that of closed connections, grow for long; so it is collected from this size on. */
const collectFromBytes = watchdogLimits.rssBytes / 4;
const inputsBetweenLooks = 512;

const maxInputBytes = 1 << 20;
const headBytes = 8;

/** What the thread watches: a counter, the input's length, the input. */
export interface WatchedMemory {
  readonly memory: SharedArrayBuffer;
  /** Where an input that is never finished goes. */
  readonly path: string;
}

/**
 * A thread that looks at the process from outside its event loop. When one input keeps it busy for too long, or makes it
 * too large, the thread writes that input down and ends the process, which nothing within it could do any more.
 */
export class Watchdog implements AsyncDisposable {
  readonly #shared = new SharedArrayBuffer(headBytes + maxInputBytes);
  readonly #head = new Int32Array(this.#shared, 0, 2);
  readonly #input = Buffer.from(this.#shared, headBytes);
  readonly #worker: Worker;
  readonly #collect: () => void;
  #inputs = 0;

  constructor(path: string) {
    const workerData: WatchedMemory = { memory: this.#shared, path };
    this.#worker = new Worker(new URL("./watchdog-thread.ts", import.meta.url), { workerData });
    this.#worker.unref();
    setFlagsFromString("--expose-gc");
    this.#collect = runInNewContext("gc") as () => void;
  }

  /** To be called before each input. Collects what earlier ones left as garbage, so that only what is kept counts. */
  seen(input: Buffer): void {
    this.#inputs += 1;
    if (this.#inputs % inputsBetweenLooks === 0 && process.memoryUsage.rss() > collectFromBytes)
      this.#collect();
    input.copy(this.#input);
    this.#head[1] = Math.min(input.length, maxInputBytes);
    Atomics.add(this.#head, 0, 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
