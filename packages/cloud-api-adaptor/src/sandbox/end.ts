import type { LifecycleContext } from "./context.ts";
import { withDeadline } from "./deadline.ts";
import { tagsOf } from "./attempts.ts";
import type { Attempt, SandboxRecord } from "./record.ts";
import type { Ending, Sandbox } from "./sandbox.ts";
import { nowEnding } from "./transitions.ts";
import type { EndReason } from "./transitions.ts";

/**
 * Begins to remove a sandbox, from whatever phase, and returns at once. The sandbox's `ending` is set by the caller, so
 * that it happens once.
 *
 * First the end is journaled and the relay lets go; then, as long as it takes, every instance that may exist is deleted
 * until the cloud confirms it, the tunnel is taken down and the directory removed, and the cluster lets go of its record;
 * the journal entry goes last. Each step can be repeated, so a daemon that dies in between begins again from the record.
 */
export function endSandbox(
  sandbox: Sandbox,
  context: LifecycleContext,
  { onGone, ...why }: EndReason & { onGone: () => void },
): Ending {
  const { reason } = why;
  const accepted = accept(sandbox, context, why);
  const done = accepted
    .then(async () => {
      await sandbox.start?.settled();
      await removeAll(sandbox, context);
      onGone();
      context.logger.info({ sandboxId: sandbox.id, reason }, "sandbox is gone");
    })
    .catch((error: unknown) => {
      // Only the daemon's end interrupts a removal.
      context.logger.info({ sandboxId: sandbox.id, err: error }, "removal goes on at the next start");
    });
  return { accepted, done };
}

async function accept(sandbox: Sandbox, context: LifecycleContext, why: EndReason): Promise<void> {
  const { phase, reason } = why;
  const record = await sandbox.applyAnyway((record) =>
    nowEnding(record, { ...why, nowMs: context.clock.now() }),
  );
  context.logger.info({ sandboxId: sandbox.id, podName: record.podName, phase, reason }, "removing sandbox");
  try {
    await closeRelay(record, context);
  } catch (error) {
    // Tried again below, until it works.
    sandbox.stepFailed(error);
    context.logger.warn({ sandboxId: sandbox.id, err: error }, "agent relay did not let go of the sandbox");
  }
}

async function removeAll(sandbox: Sandbox, context: LifecycleContext): Promise<void> {
  const record = sandbox.record;
  await keepFailedStart(record, context);
  const steps: [what: string, act: () => Promise<void>][] = [
    ["agent relay cannot be told", () => closeRelay(record, context)],
    ...record.attempts.map((attempt): [string, () => Promise<void>] => [
      "instance cannot be deleted",
      () => deleteInstance(record, context, attempt),
    ]),
    ["tunnel cannot be removed", () => tearDownTunnel(record, context)],
  ];
  await Promise.all(steps.map(([what, act]) => untilDone(sandbox, context, { what, act })));
  await untilDone(sandbox, context, {
    what: "pod directory cannot be removed",
    act: () => context.directories.remove(sandbox.id),
  });
  await context.cluster?.release(sandbox.record, { signal: context.signal });
  await untilDone(sandbox, context, {
    what: "journal entry cannot be removed",
    act: () => context.journal.remove(sandbox.id),
  });
}

/** While the instance is still there. For people only, so a failure holds nothing up. */
async function keepFailedStart(record: SandboxRecord, context: LifecycleContext): Promise<void> {
  const { failedStarts, logger } = context;
  if (record.phase !== "failed" || failedStarts === undefined) return;
  try {
    await locally(context, "keeping the guest's logs", (signal) => failedStarts.keep(record, { signal }));
  } catch (error) {
    logger.warn({ sandboxId: record.sandboxId, err: error }, "the guest's logs could not be kept");
  }
}

async function closeRelay(record: SandboxRecord, context: LifecycleContext): Promise<void> {
  // Without an intended tunnel the relay was never told of the sandbox.
  if (record.tunnel === undefined) return;
  await locally(context, "closing the agent relay", (signal) =>
    context.relay.close(record.sandboxId, { signal }),
  );
}

async function tearDownTunnel({ tunnel }: SandboxRecord, context: LifecycleContext): Promise<void> {
  if (tunnel === undefined) return;
  await locally(context, "removing the tunnel", (signal) => context.network.tearDown(tunnel, { signal }));
}

async function deleteInstance(
  record: SandboxRecord,
  context: LifecycleContext,
  attempt: Attempt,
): Promise<void> {
  const { clock, signal, settings, provider, logger } = context;
  const timeoutMs = settings.deleteTimeoutMs;
  const { token, instanceId } = attempt;
  await withDeadline({ clock, parent: signal, timeoutMs, what: "deleting the instance" }, (signal) =>
    provider.deleteInstance(
      { token, ...(instanceId === undefined ? {} : { instanceId }), tags: tagsOf(record, attempt) },
      { signal, deadline: clock.now() + timeoutMs, logger },
    ),
  );
}

async function locally(
  { clock, signal, settings }: LifecycleContext,
  what: string,
  act: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await withDeadline({ clock, parent: signal, timeoutMs: settings.localTimeoutMs, what }, act);
}

/** Repeats a step until it works. Rejects only when the daemon ends. */
async function untilDone(
  sandbox: Sandbox,
  { clock, signal, settings, logger }: LifecycleContext,
  { what, act }: { what: string; act: () => Promise<void> },
): Promise<void> {
  let pauseMs = settings.retry.minMs;
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    try {
      await act();
      return;
    } catch (error) {
      signal.throwIfAborted();
      sandbox.stepFailed(error);
      logger.warn({ sandboxId: sandbox.id, err: error, tries, retryInMs: pauseMs }, `${what}; trying again`);
    }
    await clock.sleep(pauseMs, { signal });
    pauseMs = Math.min(pauseMs * 2, settings.retry.maxMs);
  }
}
