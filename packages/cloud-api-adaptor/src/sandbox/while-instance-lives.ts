import { hasInventory } from "@peerpods/cloud-providers";
import type { Instance, InstanceRecord, Inventory } from "@peerpods/cloud-providers";
import type { LifecycleContext } from "./context.ts";
import { allOrAbort, withDeadline } from "./deadline.ts";
import { SandboxError } from "./errors.ts";
import type { WaitOptions } from "./ports.ts";

/**
 * Runs `act`, which needs the instance, and asks the cloud meanwhile every `settings.instanceLookMs` whether the instance
 * is still there: one that crashed or switched itself off is not waited for until some later limit. A quick start
 * asks nothing. Without the ability inventory it only runs `act`.
 * @throws SandboxError `start_failed` when the instance has ended; what `act` throws, or `signal.reason`.
 */
export async function whileInstanceLives(
  instance: Instance,
  context: LifecycleContext,
  { act, signal }: WaitOptions & { readonly act: (signal: AbortSignal) => Promise<void> },
): Promise<void> {
  const { provider } = context;
  if (!hasInventory(provider)) return await act(signal);
  const done = new AbortController();
  await allOrAbort(signal, [
    (signal) => act(signal).finally(() => done.abort()),
    (signal) =>
      lookUntilEnded(instance, { ...context, provider }, { signal: AbortSignal.any([signal, done.signal]) }),
  ]);
}

type LookingContext = LifecycleContext & { readonly provider: Inventory };

/** Resolves when the signal aborts; rejects when the instance has ended. */
async function lookUntilEnded(
  instance: Instance,
  context: LookingContext,
  { signal }: WaitOptions,
): Promise<void> {
  const { clock, settings } = context;
  while (!signal.aborted) {
    try {
      await clock.sleep(settings.instanceLookMs, { signal });
    } catch {
      return;
    }
    const ended = await endedAs(instance, context, { signal });
    if (ended !== undefined && !signal.aborted)
      throw new SandboxError(
        "start_failed",
        `instance ${instance.id} ended before its agent could be reached: the cloud says that it is ${ended}`,
      );
  }
}

/** `undefined` while it lives, and when the cloud does not say: then the start's own limits decide. */
async function endedAs(
  { id }: Instance,
  { provider, clock, logger, settings }: LookingContext,
  { signal: parent }: WaitOptions,
): Promise<InstanceRecord["state"] | undefined> {
  const timeoutMs = settings.localTimeoutMs;
  try {
    const record = await withDeadline(
      { clock, parent, timeoutMs, what: "looking at the instance" },
      (signal) =>
        provider.getInstance({ instanceId: id }, { signal, deadline: clock.now() + timeoutMs, logger }),
    );
    if (record === undefined) return "gone";
    return record.state === "stopping" || record.state === "gone" ? record.state : undefined;
  } catch (error) {
    if (!parent.aborted) logger.debug({ instanceId: id, err: error }, "instance cannot be looked at");
    return undefined;
  }
}
