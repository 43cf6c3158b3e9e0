import { explain } from "./errors.ts";
import type { LifecycleContext } from "./context.ts";
import type { SandboxRecord } from "./record.ts";
import type { StartRun } from "./start-run.ts";

/**
 * One sandbox in memory: its record, and what is under way for it. All moves go through {@link Sandbox.apply}, one after
 * the other (the lock of the sandbox), and are on disk before they count.
 */
export class Sandbox {
  readonly id: string;
  /** The start under way, or the one that ended in `running`. */
  start: StartRun | undefined;
  /** Set once, when removal begins. */
  ending: Ending | undefined;
  #lastError: string | undefined;
  readonly #context: Pick<LifecycleContext, "journal" | "logger">;
  readonly #onChange: () => void;
  #record: SandboxRecord;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(
    record: SandboxRecord,
    { context, onChange }: { context: Pick<LifecycleContext, "journal" | "logger">; onChange: () => void },
  ) {
    this.id = record.sandboxId;
    this.#record = record;
    this.#context = context;
    this.#onChange = onChange;
  }

  get record(): SandboxRecord {
    return this.#record;
  }

  /** Latest failure of a removal step, for people. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Notes a failed step of its removal. */
  stepFailed(error: unknown): void {
    this.#lastError = explain(error);
    this.#onChange();
  }

  /**
   * Makes a move: computes the next record from the present one, journals it, then lets it count.
   * @throws what `move` throws, and SandboxError `journal` when it could not be written; then nothing has changed.
   */
  async apply(move: (record: SandboxRecord) => SandboxRecord): Promise<SandboxRecord> {
    return await this.#inTurn(async () => {
      const next = move(this.#record);
      if (next !== this.#record) {
        await this.#context.journal.write(next);
        this.#publish(next);
      }
      return next;
    });
  }

  /**
   * Makes a move that counts even when the journal cannot be written: removal must begin although the disk is full.
   * What is on disk then says less has happened, and a restart comes to the same end.
   */
  async applyAnyway(move: (record: SandboxRecord) => SandboxRecord): Promise<SandboxRecord> {
    return await this.#inTurn(async () => {
      const next = move(this.#record);
      if (next === this.#record) return next;
      this.#publish(next);
      try {
        await this.#context.journal.write(next);
      } catch (error) {
        this.stepFailed(error);
        this.#context.logger.error(
          { err: error, sandboxId: this.id, phase: next.phase },
          "journal cannot be written; going on without",
        );
      }
      return next;
    });
  }

  async #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(act);
    this.#tail = turn.catch(() => undefined);
    return await turn;
  }

  #publish(record: SandboxRecord): void {
    this.#record = record;
    this.#onChange();
  }
}

/** A removal under way. */
export interface Ending {
  /** Resolves when the end is journaled and the relay has let go; never rejects. StopVM is answered then. */
  readonly accepted: Promise<void>;
  /** Resolves when nothing is left, or when the daemon ends before; never rejects. */
  readonly done: Promise<void>;
}
