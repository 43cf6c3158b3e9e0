import type { Clock, Logger } from "@peerpods/cloud-providers";
import { isKubernetesError, nodes, resource } from "@peerpods/peerpod-ctrl";
import type { KubeCallOptions, KubeClient } from "@peerpods/peerpod-ctrl";

/** The extended resource of which each peer pod takes one. */
export const VM_RESOURCE = "kata.peerpods.io/vm";
/** Which daemon speaks for the node: UID of its pod. */
export const OWNER_ANNOTATION = "kata.peerpods.io/caa-owner";

/** A Node object that was made anew has neither; this often it is looked at. */
const CHECK_INTERVAL_MS = 300_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
const REQUEST_TIMEOUT_MS = 10_000;

const capacityPath = `/status/capacity/${escape(VM_RESOURCE)}`;
const ownerPath = `/metadata/annotations/${escape(OWNER_ANNOTATION)}`;

export interface NodeResourceOptions {
  readonly nodeName: string;
  /** How many peer pods the node may have; not negative. */
  readonly limit: number;
  /** UID of the daemon's pod; empty outside a pod: then there is no owner to heed. */
  readonly podUid: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The node's extended resource, kept advertised. */
export interface NodeResource extends AsyncDisposable {
  /** Resolves when it was advertised for the first time; never while the API server does not allow it. */
  readonly advertised: Promise<void>;
  /** Ends the advertising and takes the resource back, unless another daemon speaks for the node by now. */
  withdraw(options: KubeCallOptions): Promise<void>;
}

/**
 * Advertises `kata.peerpods.io/vm` in the background, for as long as it takes, and looks now and then whether it is still so.
 * A daemon that starts takes the node over by writing its pod's UID into the annotation; the one before sees that and leaves
 * everything as it is.
 */
export function advertiseNode(kube: KubeClient, options: NodeResourceOptions): NodeResource {
  const { nodeName, limit, podUid, clock, logger } = options;
  const api = resource(kube, nodes);
  const key = { name: nodeName };
  const ending = new AbortController();
  const { signal } = ending;
  const call = { signal, timeoutMs: REQUEST_TIMEOUT_MS };
  const first = Promise.withResolvers<void>();

  async function advertise(): Promise<void> {
    if (podUid !== "")
      await api.patch(key, { metadata: { annotations: { [OWNER_ANNOTATION]: podUid } } }, call);
    // Not a JSON patch: that needs `capacity` to be there.
    const status = { capacity: { [VM_RESOURCE]: String(limit) } };
    await api.patch(key, { status }, { ...call, subresource: "status" });
    logger.info({ node: nodeName, limit }, "node offers pod VMs");
  }

  /** Whether another daemon has taken the node over. */
  async function check(): Promise<boolean> {
    const { metadata, status } = await api.get(key, call);
    const owner = metadata.annotations?.[OWNER_ANNOTATION] ?? "";
    if (podUid !== "" && owner !== "" && owner !== podUid) return true;
    if (owner !== podUid || status?.capacity?.[VM_RESOURCE] !== String(limit)) await advertise();
    return false;
  }

  async function keep(): Promise<void> {
    let act = async () => {
      await advertise();
      first.resolve();
      return false;
    };
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      let pauseMs = CHECK_INTERVAL_MS;
      try {
        if (await act()) {
          logger.info({ node: nodeName }, "another daemon speaks for the node");
          return;
        }
        act = check;
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (signal.aborted) return;
        pauseMs = retryMs;
        retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
        logger.warn(
          { node: nodeName, err: error, retryInMs: pauseMs },
          "node cannot offer pod VMs yet; trying again",
        );
      }
      await clock.sleep(pauseMs, { signal }).catch(() => undefined);
    }
  }
  const kept = keep();

  async function stop(): Promise<void> {
    ending.abort(new DOMException("the daemon is ending", "AbortError"));
    await kept;
  }

  return {
    advertised: first.promise,
    async withdraw(withdrawal) {
      await stop();
      const owned = podUid === "" ? [] : [{ op: "test", path: ownerPath, value: podUid } as const];
      try {
        await api.patch(key, [...owned, { op: "remove", path: capacityPath }], {
          timeoutMs: REQUEST_TIMEOUT_MS,
          ...withdrawal,
          subresource: "status",
        });
        logger.info({ node: nodeName }, "node offers no pod VMs any more");
      } catch (error) {
        // A failed test or a missing path: another daemon speaks for the node, or nothing was advertised.
        if (isKubernetesError(error, "invalid", "conflict", "not_found")) return;
        throw error;
      }
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** A part of a JSON pointer (RFC 6901). */
function escape(part: string): string {
  return part.replaceAll("~", "~0").replaceAll("/", "~1");
}
