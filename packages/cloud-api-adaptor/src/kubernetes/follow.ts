import { followSandboxes } from "../sandbox/changes.ts";
import type { Lifecycle, SandboxStatus } from "../sandbox/lifecycle.ts";
import type { PeerPodKeeper } from "./peerpod-keeper.ts";
import { eventOfEnd, eventOfFailedRemoval, eventsOfMove } from "./pod-events.ts";
import type { PodLookup } from "./pod-lookup.ts";
import type { Teller } from "./teller.ts";

/**
 * Takes every change of a sandbox to the cluster, as PeerPod and as Events, until it is disposed. Of sandboxes that exist when
 * it begins the PeerPods are brought up to date; what had happened before, an earlier daemon has told.
 */
export function followToCluster(
  lifecycle: Pick<Lifecycle, "list" | "waitUntil">,
  {
    keeper,
    teller,
    lookup,
    cloudProvider,
  }: {
    readonly keeper: Pick<PeerPodKeeper, "adopt" | "track" | "forget">;
    readonly teller: Pick<Teller, "tell">;
    readonly lookup: Pick<PodLookup, "forget">;
    readonly cloudProvider: string;
  },
): AsyncDisposable {
  const stopping = new AbortController();
  const last = new Map<string, SandboxStatus>(
    lifecycle.list().map((status) => [status.record.sandboxId, status]),
  );
  for (const { record } of last.values()) keeper.adopt(record);

  function changed(status: SandboxStatus): void {
    const { record, lastError } = status;
    const before = last.get(record.sandboxId);
    last.set(record.sandboxId, status);
    if (record !== before?.record) keeper.track(record);
    for (const text of eventsOfMove(record, before?.record, cloudProvider)) teller.tell(record, text);
    if (lastError !== undefined && lastError !== before?.lastError)
      teller.tell(record, eventOfFailedRemoval(lastError));
  }

  function gone(sandboxId: string): void {
    const before = last.get(sandboxId);
    last.delete(sandboxId);
    const text = before === undefined ? undefined : eventOfEnd(before.record, cloudProvider);
    if (before !== undefined && text !== undefined) teller.tell(before.record, text);
    keeper.forget(sandboxId);
    lookup.forget(sandboxId);
  }

  const followed = (async () => {
    for await (const change of followSandboxes(lifecycle, stopping)) {
      if (change.type === "gone") gone(change.sandboxId);
      else {
        // What is told may have been overtaken, and the keeper must not go back.
        const { sandboxId } = change.status.record;
        const now = lifecycle.list().find(({ record }) => record.sandboxId === sandboxId);
        changed(now ?? change.status);
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
