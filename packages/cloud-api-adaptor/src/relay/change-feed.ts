import type { RelayEvent, WaitOptions } from "../sandbox/relay-port.ts";

/**
 * Hands events to any number of readers, each at its own pace. A reader that is slow gets the latest event of each
 * sandbox instead of all of them, so it costs memory by the number of sandboxes, not of changes.
 */
export class ChangeFeed {
  readonly #readers = new Set<(event: RelayEvent) => void>();

  /** Readers at present. */
  get size(): number {
    return this.#readers.size;
  }

  publish(event: RelayEvent): void {
    for (const read of this.#readers) read(event);
  }

  /** Yields `initial`, then what is published, until the signal aborts; then throws its reason. */
  async *read(initial: () => readonly RelayEvent[], { signal }: WaitOptions): AsyncGenerator<RelayEvent> {
    signal.throwIfAborted();
    const pending = new Map<string, RelayEvent>();
    let wake = Promise.withResolvers<void>();
    const onEvent = (event: RelayEvent): void => {
      const id = event.type === "changed" ? event.sandbox.sandboxId : event.sandboxId;
      // Behind the events that came since, so that order is kept among sandboxes.
      pending.delete(id);
      pending.set(id, event);
      wake.resolve();
    };
    const onAbort = (): void => wake.reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#readers.add(onEvent);
    try {
      for (const event of initial()) onEvent(event);
      for (;;) {
        await wake.promise;
        wake = Promise.withResolvers<void>();
        wake.promise.catch(() => undefined);
        signal.throwIfAborted();
        const events = [...pending.values()];
        pending.clear();
        yield* events;
      }
    } finally {
      this.#readers.delete(onEvent);
      signal.removeEventListener("abort", onAbort);
    }
  }
}
