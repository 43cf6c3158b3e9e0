import type { LifecycleContext } from "./context.ts";
import type { QuarantinedEntry, RelaySandbox } from "./ports.ts";
import type { SandboxRecord } from "./record.ts";
import { withDeadline } from "./deadline.ts";

/** What a new daemon does with a sandbox of an earlier one. */
export type RecoveryDecision =
  | { readonly action: "keep" }
  | { readonly action: "end"; readonly phase: "stopping" | "failed"; readonly reason: string };

/** What was found at the start of the daemon. */
export interface RecoveryReport {
  /** Sandbox ids that go on as if nothing had happened. */
  readonly adopted: readonly string[];
  /** Sandbox ids that are being removed, with the reason. */
  readonly ending: readonly { readonly sandboxId: string; readonly reason: string }[];
  readonly quarantined: readonly QuarantinedEntry[];
}

/**
 * Decides about one journaled sandbox. A start that was under way is undone, since the shim's call failed with the
 * connection to the old daemon; a running sandbox lives as long as the relay carries it.
 */
export function decideAfterRestart(record: SandboxRecord, relay: RelaySandbox | undefined): RecoveryDecision {
  switch (record.phase) {
    case "created":
      return { action: "keep" };
    case "starting":
      return {
        action: "end",
        phase: "failed",
        reason: "the daemon ended while the pod VM was being started",
      };
    case "running":
      if (relay !== undefined) return { action: "keep" };
      return { action: "end", phase: "stopping", reason: "the agent relay no longer carries it" };
    case "stopping":
    case "failed":
      return { action: "end", phase: record.phase, reason: record.reason ?? "its removal was interrupted" };
    default:
      return record.phase satisfies never;
  }
}

/**
 * Makes the relay let go of sandboxes that nobody knows. Those whose journal entry was unreadable stay: their pods may be
 * alive, and only a person can tell.
 */
export async function closeStrays(
  context: LifecycleContext,
  carried: readonly RelaySandbox[],
  isKnown: (sandboxId: string) => boolean,
): Promise<void> {
  const { relay, clock, signal: parent, settings, logger } = context;
  for (const { sandboxId } of carried.filter((sandbox) => !isKnown(sandbox.sandboxId))) {
    try {
      await withDeadline(
        { clock, parent, timeoutMs: settings.localTimeoutMs, what: "closing the agent relay" },
        (signal) => relay.close(sandboxId, { signal }),
      );
      logger.warn({ sandboxId }, "closed an agent socket that no sandbox of the journal has");
    } catch (error) {
      parent.throwIfAborted();
      logger.warn({ sandboxId, err: error }, "agent relay did not let go of an unknown sandbox");
    }
  }
}
