import { once } from "node:events";
import { close, open } from "node:fs";
import { createConnection } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

/** Linux: a descriptor of the path itself, which `open` of a socket needs. Node has no name for it. */
const O_PATH = 0o10000000;

const firstDelayMs = 10;
const lastDelayMs = 500;

/**
 * The unix socket of kata-agent. On CreateSandbox the agent deletes the directory its socket lies in, so the name is
 * gone while it goes on listening. Therefore the socket itself is held from the first connection on, and later ones
 * reach it through that. An agent that was started again has made a new socket at the path, which comes first.
 */
export class AgentSocket implements Disposable {
  readonly path: string;
  #held: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Connects, trying again while nobody listens.
   * @throws once `signal` has aborted: the reason of the last attempt, or that of the signal if there was none
   */
  async connect({ signal }: { readonly signal: AbortSignal }): Promise<Socket> {
    signal.throwIfAborted();
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(2 * delayMs, lastDelayMs)) {
      try {
        return await this.#tryConnect();
      } catch (error) {
        await delay(delayMs, undefined, { signal }).catch(() => {
          throw error;
        });
      }
    }
  }

  [Symbol.dispose](): void {
    this.#hold(undefined);
  }

  async #tryConnect(): Promise<Socket> {
    try {
      this.#hold(await promisify(open)(this.path, O_PATH));
    } catch (error) {
      if (this.#held === undefined) throw error;
    }
    const socket = createConnection(`/proc/self/fd/${this.#held}`);
    // A local connection is there or refused at once: nothing to wait for that could need aborting.
    await once(socket, "connect");
    return socket;
  }

  #hold(descriptor: number | undefined): void {
    const former = this.#held;
    this.#held = descriptor;
    if (former !== undefined) close(former);
  }
}
