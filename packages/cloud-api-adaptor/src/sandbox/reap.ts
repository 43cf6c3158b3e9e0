import type { RelaySandbox } from "./ports.ts";
import type { SandboxRecord } from "./record.ts";
import type { ReapingSettings } from "./settings.ts";

/**
 * Whether a sandbox must be removed although no StopVM came, and why. A killed shim says nothing and is never heard of
 * again; all that is left of it is its connection, which the relay sees end.
 *
 * @param sandbox.relay what the relay says of it, `undefined` when it does not know the sandbox.
 * @param asOfMs when the relay was asked; what has changed since is not judged.
 */
export function reapReason(
  { record, relay }: { readonly record: SandboxRecord; readonly relay: RelaySandbox | undefined },
  asOfMs: number,
  grace: ReapingSettings,
): string | undefined {
  if (record.phase === "created") {
    const waitedMs = asOfMs - record.times.createdMs;
    return waitedMs > grace.createdGraceMs
      ? `StartVM did not come within ${grace.createdGraceMs} ms`
      : undefined;
  }
  if (record.phase !== "running") return undefined;
  const runningMs = record.times.runningMs ?? record.times.createdMs;
  if (runningMs >= asOfMs) return undefined;
  if (relay === undefined) return "the agent relay no longer carries it, so its shim has lost it";
  const unchangedMs = asOfMs - relay.sinceMs;
  if (relay.shim === "gone" && unchangedMs > grace.lostGraceMs) {
    return `the shim's connection ended and StopVM did not come within ${grace.lostGraceMs} ms`;
  }
  if (relay.state === "lost" && unchangedMs > grace.lostGraceMs) {
    return `the pod VM cannot be reached any more and StopVM did not come within ${grace.lostGraceMs} ms`;
  }
  if (relay.shim === "none" && asOfMs - Math.max(runningMs, relay.sinceMs) > grace.shimDialGraceMs) {
    return `no shim connected to the agent socket within ${grace.shimDialGraceMs} ms`;
  }
  return undefined;
}
