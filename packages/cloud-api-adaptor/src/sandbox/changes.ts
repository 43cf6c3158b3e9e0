import type { Lifecycle, SandboxStatus } from "./lifecycle.ts";
import type { WaitOptions } from "./ports.ts";

/** A sandbox as it is now, or that it is gone for good. */
export type SandboxChange =
  | { readonly type: "changed"; readonly status: SandboxStatus }
  | { readonly type: "gone"; readonly sandboxId: string };

/**
 * The present state of the sandboxes that `isWanted`, then each change, until the signal aborts. Changes that come faster
 * than they are taken are told as one.
 * @throws `signal.reason`
 */
export async function* followSandboxes(
  lifecycle: Pick<Lifecycle, "list" | "waitUntil">,
  { signal, isWanted = () => true }: WaitOptions & { readonly isWanted?: (sandboxId: string) => boolean },
): AsyncGenerator<SandboxChange, never> {
  const seen = new Map<string, SandboxStatus>();
  const wanted = () => lifecycle.list().filter(({ record }) => isWanted(record.sandboxId));
  for (;;) {
    const changes = await lifecycle.waitUntil(() => changesSince(seen, wanted()), { signal });
    for (const change of changes) {
      if (change.type === "changed") seen.set(change.status.record.sandboxId, change.status);
      else seen.delete(change.sandboxId);
      yield change;
    }
  }
}

/** What differs from what was seen; `undefined` when nothing does. A record is a value, so identity tells. */
function changesSince(
  seen: ReadonlyMap<string, SandboxStatus>,
  now: readonly SandboxStatus[],
): readonly SandboxChange[] | undefined {
  const present = new Set(now.map(({ record }) => record.sandboxId));
  const changes: readonly SandboxChange[] = [
    ...now
      .filter(({ record, lastError }) => {
        const before = seen.get(record.sandboxId);
        return before?.record !== record || before.lastError !== lastError;
      })
      .map((status) => ({ type: "changed", status }) as const),
    ...[...seen.keys()]
      .filter((id) => !present.has(id))
      .map((sandboxId) => ({ type: "gone", sandboxId }) as const),
  ];
  return changes.length === 0 ? undefined : changes;
}
