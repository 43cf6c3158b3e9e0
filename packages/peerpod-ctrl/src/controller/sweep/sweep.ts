import {
  hasInventory,
  ownerTags,
  ProviderError,
  tagKeys,
  type InstanceRecord,
  type Provider,
  type Tags,
} from "@peerpods/cloud-providers";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import type { ControllerContext } from "../context.ts";
import { readFacts, readRecords, type Records } from "./cluster-facts.ts";
import { deleteLostRecords } from "./lost-records.ts";
import { judgeInstance, orphaned, type Finding } from "./judge-instance.ts";

/** One instance, as a sweep found it. */
export interface SweptInstance {
  readonly provider: string;
  readonly instanceId: string;
  readonly podNamespace: string;
  readonly podName: string;
  readonly nodeName: string;
  readonly finding: Finding;
  /** What was done: an orphan waits for its grace period; a dry run would delete it. */
  readonly action: "kept" | "waiting" | "would delete" | "deleted" | "failed";
  /** Since when it exists, or has been known as an orphan, whichever is shorter; milliseconds. */
  readonly ageMs: number | undefined;
  readonly problem?: string;
}

export interface SweepReport {
  readonly instances: readonly SweptInstance[];
  /** Providers that could not be swept, and why. */
  readonly skipped: readonly { readonly provider: string; readonly why: string }[];
}

export interface SweepOptions {
  readonly kube: KubeClient;
  /** Providers to look at besides those that PeerPods name. */
  readonly providers: readonly string[];
  readonly graceMs: number;
  readonly dryRun: boolean;
  /** Since when orphans are known, by provider and id; kept between sweeps. Absent: their own age alone counts. */
  readonly known?: Map<string, number>;
}

/**
 * Looks for instances of this cluster that nobody will ever delete, and deletes them after the grace period; and for PeerPods
 * that nobody will ever delete, which then take theirs along.
 *
 * Instances are listed before PeerPods are read: an intent is recorded before its instance is made, so whatever is in the
 * first list and not in the second has no record.
 * @throws KubernetesError when the cluster cannot be read; then nothing is deleted.
 */
export async function sweep(options: SweepOptions, context: ControllerContext): Promise<SweepReport> {
  const { providers, logger, observer, signal, peerPods } = context;
  const records = await readRecords(peerPods, signal);
  await deleteLostRecords(records.peerPods, options, context);
  const names = new Set([...options.providers, ...records.providers]);
  const instances: SweptInstance[] = [];
  const skipped: { provider: string; why: string }[] = [];
  for (const name of [...names].sort()) {
    try {
      instances.push(
        ...(await providers.use(name, (provider) => sweepProvider({ name, provider }, options, context))),
      );
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      logger.warn({ err: error, provider: name }, "provider cannot be swept");
      skipped.push({ provider: name, why: error.message });
    }
  }
  forgetGone(options.known, instances);
  const count = (action: SweptInstance["action"]) =>
    instances.filter((found) => found.action === action).length;
  observer.orphans({ waiting: count("waiting"), deleted: count("deleted"), failed: count("failed") });
  return { instances, skipped };
}

async function sweepProvider(
  { name, provider }: { readonly name: string; readonly provider: Provider },
  options: SweepOptions,
  context: ControllerContext,
): Promise<readonly SweptInstance[]> {
  if (!hasInventory(provider))
    throw new ProviderError("invalid_request", `provider ${name} cannot list its instances`);
  const call = callOf(context);
  const listed = await provider.listInstances(ownerTags({ clusterId: context.clusterId }), call);
  const records = await readRecords(context.peerPods, context.signal);
  const found: SweptInstance[] = [];
  for (const record of listed) {
    // A provider that lists too much must not cost anybody a machine.
    if (record.tags[tagKeys.cluster] !== context.clusterId) continue;
    found.push(await sweepInstance({ name, provider, record, records }, options, context));
  }
  return found;
}

async function sweepInstance(
  subject: {
    readonly name: string;
    readonly provider: Provider;
    readonly record: InstanceRecord;
    readonly records: Records;
  },
  { kube, dryRun, graceMs, known }: SweepOptions,
  context: ControllerContext,
): Promise<SweptInstance> {
  const { name, provider, record, records } = subject;
  const { clock, logger, signal } = context;
  const finding = records.names(name, record)
    ? "Recorded"
    : judgeInstance(record, await readFacts(kube, record, { records, signal }));
  const key = `${name}/${record.id}`;
  const isOrphan = orphaned.has(finding);
  if (isOrphan && known !== undefined && !known.has(key)) known.set(key, clock.now());
  if (!isOrphan) known?.delete(key);
  const since = Math.max(record.createdAt ?? -Infinity, known?.get(key) ?? -Infinity);
  const ageMs = Number.isFinite(since) ? clock.now() - since : undefined;
  const swept = (action: SweptInstance["action"], problem?: string): SweptInstance => ({
    provider: name,
    instanceId: record.id,
    podNamespace: record.tags[tagKeys.namespace] ?? "",
    podName: record.tags[tagKeys.pod] ?? "",
    nodeName: record.tags[tagKeys.node] ?? "",
    finding,
    action,
    ageMs,
    ...(problem === undefined ? {} : { problem }),
  });
  if (!isOrphan) return swept("kept");
  if (graceMs > 0 && (ageMs === undefined || ageMs < graceMs)) return swept("waiting");
  if (dryRun) return swept("would delete");
  try {
    await provider.deleteInstance({ instanceId: record.id, tags: identity(record.tags) }, callOf(context));
    logger.warn({ ...swept("deleted") }, "orphaned instance deleted");
    return swept("deleted");
  } catch (error) {
    logger.warn({ err: error, instanceId: record.id, provider: name }, "orphaned instance was not deleted");
    return swept("failed", ProviderError.from(error).message);
  }
}

/** What must still be so when it is deleted: ids of machines can be used again. */
function identity(tags: Tags): Tags {
  const keys = [tagKeys.cluster, tagKeys.namespace, tagKeys.sandbox];
  return Object.fromEntries(
    Object.entries(tags).filter(([key]) => (keys as readonly string[]).includes(key)),
  );
}

function callOf({ signal, cloudTimeoutMs, clock, logger }: ControllerContext) {
  return {
    signal: AbortSignal.any([signal, AbortSignal.timeout(cloudTimeoutMs)]),
    deadline: clock.now() + cloudTimeoutMs,
    logger,
  };
}

function forgetGone(known: Map<string, number> | undefined, instances: readonly SweptInstance[]): void {
  const present = new Set(
    instances
      .filter(({ action }) => action !== "deleted")
      .map(({ provider, instanceId }) => `${provider}/${instanceId}`),
  );
  for (const key of known?.keys() ?? []) if (!present.has(key)) known?.delete(key);
}
