import { settleOrAbort } from "./deadline.ts";
import { SandboxError } from "./errors.ts";

/**
 * One start of a sandbox, shared by all that ask for it. It goes on while somebody waits: when the last caller has left
 * (its deadline passed, its connection closed) the start is aborted.
 */
export class StartRun {
  readonly #controller = new AbortController();
  readonly #result: Promise<void>;
  #callers = 0;
  #underWay = true;

  constructor(run: (signal: AbortSignal) => Promise<void>) {
    this.#result = run(this.#controller.signal).finally(() => {
      this.#underWay = false;
    });
    this.#result.catch(() => undefined);
  }

  /** Neither succeeded nor failed yet. */
  get underWay(): boolean {
    return this.#underWay;
  }

  /** Waits for the result, or until the caller's own signal aborts (rejects with its reason then). */
  async join(signal: AbortSignal): Promise<void> {
    this.#callers += 1;
    try {
      await settleOrAbort(this.#result, signal);
    } finally {
      this.#callers -= 1;
      if (this.#callers === 0 && signal.aborted) {
        this.abort(
          new SandboxError("aborted", "nobody waits for StartVM any more", { cause: signal.reason }),
        );
      }
    }
  }

  /** Without effect when the start has ended. */
  abort(reason: SandboxError): void {
    this.#controller.abort(reason);
  }

  /** Resolves when nothing of this start is under way any more, however it ended. */
  async settled(): Promise<void> {
    await this.#result.catch(() => undefined);
  }
}
