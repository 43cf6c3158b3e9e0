import type { Logger } from "@peerpods/cloud-providers";
import { followSandboxes } from "../sandbox/changes.ts";
import type { Lifecycle } from "../sandbox/lifecycle.ts";
import type { RelayControl } from "../sandbox/ports.ts";
import type { SandboxRecord } from "../sandbox/record.ts";
import type { Observer } from "./observer.ts";

const RELAY_RETRY_MS = 1_000;

/**
 * Tells an observer of every change of a sandbox until it is disposed. Sandboxes that exist when it begins were adopted:
 * only what becomes of them from now on is told.
 */
export function followLifecycle(
  lifecycle: Pick<Lifecycle, "list" | "waitUntil">,
  observer: Pick<Required<Observer>, "sandboxChanged" | "sandboxGone">,
  now: () => number,
): AsyncDisposable {
  const stopping = new AbortController();
  const last = new Map<string, SandboxRecord>(
    lifecycle.list().map(({ record }) => [record.sandboxId, record]),
  );
  const followed = (async () => {
    for await (const change of followSandboxes(lifecycle, stopping)) {
      if (change.type === "changed") {
        const { record } = change.status;
        const before = last.get(record.sandboxId);
        last.set(record.sandboxId, record);
        if (before !== record) observer.sandboxChanged(record, before);
      } else {
        const before = last.get(change.sandboxId);
        last.delete(change.sandboxId);
        if (before !== undefined) observer.sandboxGone(before, now());
      }
    }
  })().catch(() => undefined);
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await followed;
    },
  };
}

/** Tells an observer what the relay says of its sandboxes, across restarts of the relay, until it is disposed. */
export function followRelay(
  relay: Pick<RelayControl, "watch">,
  observer: Pick<Required<Observer>, "relayChanged">,
  {
    logger,
    sleep,
  }: {
    readonly logger: Logger;
    readonly sleep: (ms: number, options: { readonly signal: AbortSignal }) => Promise<void>;
  },
): AsyncDisposable {
  const stopping = new AbortController();
  const { signal } = stopping;
  const followed = (async () => {
    while (!signal.aborted) {
      try {
        for await (const event of relay.watch({ signal }))
          if (event.type === "changed") observer.relayChanged(event.sandbox);
      } catch (error) {
        if (!signal.aborted) logger.debug({ err: error }, "the relay is not followed now");
      }
      await sleep(RELAY_RETRY_MS, { signal }).catch(() => undefined);
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await followed;
    },
  };
}
