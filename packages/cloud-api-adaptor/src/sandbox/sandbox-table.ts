import { settleOrAbort } from "./deadline.ts";
import { SandboxError } from "./errors.ts";
import type { WaitOptions } from "./ports.ts";
import type { Sandbox } from "./sandbox.ts";
import { isEnding } from "./transitions.ts";

/** Which sandboxes there are, which ids are taken, and a way to wait for a change of any of them. */
export class SandboxTable {
  readonly #sandboxes = new Map<string, Sandbox>();
  /** Ids whose CreateVM is under way: they count, but nobody can start or stop them yet. */
  readonly #reserved = new Set<string>();
  /** Ids whose journal entry cannot be read: their pods may be alive. */
  readonly #quarantined = new Set<string>();
  #changed = Promise.withResolvers<void>();

  /** @throws SandboxError `not_found` */
  get(sandboxId: string): Sandbox {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined) throw new SandboxError("not_found", `sandbox ${sandboxId} does not exist`);
    return sandbox;
  }

  values(): readonly Sandbox[] {
    return [...this.#sandboxes.values()];
  }

  /** Whether anything is known of this id. */
  isKnown(sandboxId: string): boolean {
    return this.#sandboxes.has(sandboxId) || this.#quarantined.has(sandboxId);
  }

  add(sandbox: Sandbox): void {
    this.#sandboxes.set(sandbox.id, sandbox);
    this.changed();
  }

  delete(sandboxId: string): void {
    this.#sandboxes.delete(sandboxId);
    this.changed();
  }

  quarantine(sandboxId: string): void {
    this.#quarantined.add(sandboxId);
  }

  /** Sandboxes that count against the limit: all but those being removed. */
  get count(): number {
    let count = this.#reserved.size;
    for (const { record } of this.#sandboxes.values()) if (!isEnding(record)) count += 1;
    return count;
  }

  /**
   * Takes an id for a sandbox that is about to be created, until the result is disposed.
   * @param limit sandboxes that may exist; negative is no limit.
   * @throws SandboxError `already_exists`, `limit_reached`
   */
  reserve(sandboxId: string, limit: number): Disposable {
    const present = this.#sandboxes.get(sandboxId);
    if (present !== undefined) throw taken(sandboxId, `it is ${present.record.phase}`);
    if (this.#reserved.has(sandboxId)) throw taken(sandboxId, "it is being created");
    if (this.#quarantined.has(sandboxId))
      throw taken(sandboxId, "its journal entry is unreadable, in quarantine");
    if (limit >= 0 && this.count >= limit) {
      throw new SandboxError(
        "limit_reached",
        `this node has ${this.count} peer pods and may have ${limit} (peerpods-limit-per-node)`,
      );
    }
    this.#reserved.add(sandboxId);
    return { [Symbol.dispose]: () => void this.#reserved.delete(sandboxId) };
  }

  /** Wakes those who wait for a change. */
  changed(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  /** Resolves with what `find` returns once that is something; it is asked again after every change. */
  async waitUntil<T>(find: () => T | undefined, { signal }: WaitOptions): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await settleOrAbort(this.#changed.promise, signal);
    }
  }
}

function taken(sandboxId: string, why: string): SandboxError {
  return new SandboxError("already_exists", `sandbox ${sandboxId} already exists; ${why}`);
}
