import type { RelayEvent, RelaySandbox } from "../../sandbox/relay-port.ts";

/** The events that lead from one list of sandboxes to the next. Traffic alone is no event. */
export function diffSandboxes(
  before: readonly RelaySandbox[],
  now: readonly RelaySandbox[],
): readonly RelayEvent[] {
  const known = new Map(before.map((sandbox) => [sandbox.sandboxId, sandbox]));
  const changed = now.filter((sandbox) => isChanged(known.get(sandbox.sandboxId), sandbox));
  const present = new Set(now.map(({ sandboxId }) => sandboxId));
  const closed = before.filter(({ sandboxId }) => !present.has(sandboxId));
  return [
    ...changed.map((sandbox) => ({ type: "changed", sandbox }) as const),
    ...closed.map(({ sandboxId }) => ({ type: "closed", sandboxId }) as const),
  ];
}

function isChanged(before: RelaySandbox | undefined, now: RelaySandbox): boolean {
  return (
    before === undefined ||
    before.state !== now.state ||
    before.shim !== now.shim ||
    before.sinceMs !== now.sinceMs
  );
}
