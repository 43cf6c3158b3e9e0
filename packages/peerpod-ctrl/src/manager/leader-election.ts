import type { V1Lease } from "@kubernetes/client-node";
import type { Clock, Logger } from "@peerpods/cloud-providers";
import { leases, type FromServer } from "../kubernetes/core.ts";
import { isKubernetesError } from "../kubernetes/errors.ts";
import type { KubeClient } from "../kubernetes/kube-client.ts";
import { resource } from "../kubernetes/resource.ts";

/** Times of an election, in milliseconds; the defaults are those of Kubernetes' own controllers. */
export interface ElectionTimes {
  /** How long a lease holds that nobody renews. Default 15 s. */
  readonly leaseMs: number;
  /** When a leader that cannot renew gives up. Shorter than the lease. Default 10 s. */
  readonly renewDeadlineMs: number;
  /** Between looks and renewals. Default 2 s. */
  readonly retryMs: number;
}

export const defaultElectionTimes: ElectionTimes = {
  leaseMs: 15_000,
  renewDeadlineMs: 10_000,
  retryMs: 2_000,
};

export interface ElectionOptions {
  readonly namespace: string;
  readonly name: string;
  /** Unique to this process. */
  readonly identity: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly times?: ElectionTimes;
  /** Told of each successful look at the lease, and whether it is held. */
  readonly onContact?: (leading: boolean) => void;
}

/**
 * Waits until this process leads, then does `work` until it ends, and releases the lease, so that a successor need not
 * wait for it to run out.
 *
 * `stop` ends the waiting, or asks `work` to end; the lease is renewed until it has. When the lease is lost, the signal that
 * `work` gets aborts at once with the reason. Times of other processes are never compared with ours: a lease is over when we
 * have seen it unchanged for its whole length, so clocks may differ.
 * @throws Error when the lease was lost, or whatever `work` throws.
 */
export async function lead(
  kube: KubeClient,
  options: ElectionOptions & { readonly stop: AbortSignal },
  work: (signals: { readonly stop: AbortSignal; readonly lost: AbortSignal }) => Promise<void>,
): Promise<void> {
  const { stop, logger, identity } = options;
  const election = createElection(kube, options);
  if (!(await election.acquire(stop))) return;
  logger.info({ identity }, "this replica leads");
  const lost = new AbortController();
  const over = new AbortController();
  const renewing = election.renew(over.signal).catch((error: unknown) => lost.abort(error));
  try {
    await work({ stop: AbortSignal.any([stop, lost.signal]), lost: lost.signal });
    lost.signal.throwIfAborted();
  } finally {
    over.abort();
    await renewing;
    if (!lost.signal.aborted) await election.release();
  }
}

function createElection(kube: KubeClient, options: ElectionOptions) {
  const { namespace, name, identity, clock, logger, onContact, times = defaultElectionTimes } = options;
  const api = resource(kube, leases);
  let seen: { readonly version: string; readonly at: number } | undefined;
  let held: Lease | undefined;

  async function read(): Promise<Lease | undefined> {
    try {
      return await api.get({ namespace, name }, { timeoutMs: times.retryMs * 2 });
    } catch (error) {
      if (isKubernetesError(error, "not_found")) return undefined;
      throw error;
    }
  }

  /** One look; `true` when the lease is ours afterwards. */
  async function tryAcquire(): Promise<boolean> {
    const lease = await read();
    if (lease === undefined) {
      held = await api.create(leaseObject(undefined), { namespace, timeoutMs: times.retryMs * 2 });
      return true;
    }
    const version = lease.metadata.resourceVersion;
    if (seen?.version !== version) seen = { version, at: clock.now() };
    const holder = lease.spec?.holderIdentity ?? "";
    const lengthMs = (lease.spec?.leaseDurationSeconds ?? times.leaseMs / 1_000) * 1_000;
    if (holder !== "" && holder !== identity && clock.now() < seen.at + lengthMs) return false;
    held = await write(leaseObject(lease));
    return true;
  }

  function write(object: object): Promise<Lease> {
    return api.replace({ namespace, name }, object, { timeoutMs: times.retryMs * 2 });
  }

  function leaseObject(before: Lease | undefined, holder = identity): object {
    const now = `${new Date(clock.now()).toISOString().slice(0, -1)}000Z`;
    const continued = before?.spec?.holderIdentity === holder;
    return {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: {
        name,
        namespace,
        ...(before === undefined ? {} : { resourceVersion: before.metadata.resourceVersion }),
      },
      spec: {
        holderIdentity: holder,
        // A lease that is given up must not be waited for.
        leaseDurationSeconds: holder === "" ? 1 : Math.ceil(times.leaseMs / 1_000),
        acquireTime: continued ? before.spec?.acquireTime : now,
        renewTime: now,
        leaseTransitions: (before?.spec?.leaseTransitions ?? 0) + (continued ? 0 : 1),
      },
    };
  }

  return {
    async acquire(stop: AbortSignal): Promise<boolean> {
      while (!stop.aborted) {
        try {
          const leading = await tryAcquire();
          onContact?.(leading);
          if (leading) return true;
        } catch (err) {
          // Two that were first at once: one of them comes again.
          if (!isKubernetesError(err, "conflict", "already_exists"))
            logger.warn({ err }, "lease cannot be read or taken, tried again");
        }
        const pauseMs = times.retryMs * (1 + Math.random() / 5);
        await clock.sleep(pauseMs, { signal: stop }).catch(() => undefined);
      }
      return false;
    },
    /** Renews until `over`. @throws Error when the lease is another's, or could not be renewed in time. */
    async renew(over: AbortSignal): Promise<void> {
      let renewedAt = clock.now();
      while (!over.aborted) {
        await clock.sleep(times.retryMs, { signal: over }).catch(() => undefined);
        if (over.aborted) return;
        try {
          held = await write(leaseObject(held));
          renewedAt = clock.now();
          onContact?.(true);
          continue;
        } catch (err) {
          logger.warn({ err }, "lease was not renewed");
        }
        const current = await read().catch(() => undefined);
        if (current !== undefined && current.spec?.holderIdentity !== identity)
          throw new Error(`leader election lost: ${name} is held by ${current.spec?.holderIdentity}`);
        // Somebody has edited the lease; it is ours still.
        held = current ?? held;
        if (clock.now() - renewedAt > times.renewDeadlineMs)
          throw new Error(
            `leader election lost: ${name} could not be renewed for ${times.renewDeadlineMs} ms`,
          );
      }
    },
    async release(): Promise<void> {
      try {
        await write(leaseObject(held, ""));
        logger.info({ identity }, "lease released");
      } catch (err) {
        logger.warn({ err }, "lease was not released; a successor waits until it runs out");
      }
    },
  };
}

type Lease = FromServer<V1Lease>;
