import { hostname } from "node:os";
import { systemClock } from "@peerpods/cloud-providers";
import type { Logger } from "@peerpods/cloud-providers";
import {
  clusterIdOf,
  createEventRecorder,
  createKubeClient,
  createPeerPodClient,
  loadKubeConfig,
} from "@peerpods/peerpod-ctrl";
import type { RequestObservation } from "@peerpods/peerpod-ctrl";
import { explain } from "../sandbox/errors.ts";
import { settleOrAbort } from "../sandbox/deadline.ts";
import type { Lifecycle } from "../sandbox/lifecycle.ts";
import type { ClusterRecords, WaitOptions } from "../sandbox/ports.ts";
import type { PullSecrets } from "../user-data/guest-preparation.ts";
import { followToCluster } from "./follow.ts";
import { advertiseNode } from "./node-resource.ts";
import { PeerPodKeeper } from "./peerpod-keeper.ts";
import { eventOfMissingRecord } from "./pod-events.ts";
import { createPodLookup } from "./pod-lookup.ts";
import { createPullSecrets } from "./pull-secrets.ts";
import { createTeller } from "./teller.ts";

/** How long a start waits for the UID of its Pod. */
const POD_UID_TIMEOUT_MS = 3_000;
/** Limit of what is said to the API server at the end. */
const FLUSH_TIMEOUT_MS = 3_000;

/** How the daemon takes part in a cluster. */
export interface KubernetesSettings {
  /** File; empty: the service account of the daemon's pod. */
  readonly kubeconfig: string;
  /** Name of this node's object; empty when nobody gave it: then the node is left alone. */
  readonly nodeName: string;
  /** UID of the daemon's pod; empty outside of one. */
  readonly podUid: string;
  /** Pod VMs that the node offers; negative: it offers none and does not say so. */
  readonly limit: number;
}

/** The daemon's side of Kubernetes. Nothing here holds up the start or the end of a pod for longer than some seconds. */
export interface Kubernetes extends AsyncDisposable {
  readonly records: ClusterRecords;
  readonly pullSecrets: PullSecrets;
  /** UID of `kube-system`. @throws KubernetesError */
  clusterId(options: WaitOptions): Promise<string>;
  /** PeerPods that are not yet what they should be, because a request failed. */
  readonly peerPodsBehind: () => number;
  /** From now on the lifecycle's sandboxes are recorded and told of, and the node offers VMs. Called once, after recovery. */
  follow(lifecycle: Pick<Lifecycle, "list" | "waitUntil">): void;
  /**
   * The daemon is ending: the node offers no VMs any more, unless another daemon speaks for it, and what the API server does
   * not take now is left to the next daemon. Never rejects.
   */
  withdraw(options: WaitOptions): Promise<void>;
}

/**
 * Builds the parts; nothing is asked of the API server yet.
 * @throws Error when the configuration names no API server.
 */
export function openKubernetes(
  { kubeconfig, nodeName, podUid, limit }: KubernetesSettings,
  {
    cloudProvider,
    env,
    logger,
    observe,
  }: {
    readonly cloudProvider: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly logger: Logger;
    readonly observe: (observation: RequestObservation) => void;
  },
): Kubernetes {
  const stack = new AsyncDisposableStack();
  const kube = stack.use(createKubeClient(loadKubeConfig(kubeconfig, env), { observe }));
  const clock = systemClock;
  const lookup = createPodLookup(kube, { nodeName });
  const recorder = createEventRecorder(kube, {
    component: "cloud-api-adaptor",
    instance: nodeName || hostname(),
    logger,
  });
  const teller = createTeller({
    recorder,
    lookup,
    peerPodOf: (sandboxId) => keeper.peerPodOf(sandboxId),
  });
  stack.defer(() =>
    settleOrAbort(teller.flush(), AbortSignal.timeout(FLUSH_TIMEOUT_MS)).catch(() => undefined),
  );
  const keeper: PeerPodKeeper = stack.use(
    new PeerPodKeeper({
      peerPods: createPeerPodClient(kube),
      lookup,
      cloudProvider,
      clock,
      now: () => clock.now(),
      logger,
      onProblem: (record, error) => teller.tell(record, eventOfMissingRecord(explain(error))),
    }),
  );
  let node: ReturnType<typeof advertiseNode> | undefined;

  return {
    records: {
      async podUid(record, { signal }) {
        const wait = AbortSignal.any([signal, AbortSignal.timeout(POD_UID_TIMEOUT_MS)]);
        try {
          return (await settleOrAbort(lookup.find(record, {}), wait))?.uid;
        } catch (err) {
          signal.throwIfAborted();
          logger.debug({ err, sandboxId: record.sandboxId }, "the Pod's UID is not known yet");
          return undefined;
        }
      },
      intended: (record, options) => keeper.intended(record, options),
      release: (record, options) => keeper.release(record, options),
    },
    pullSecrets: createPullSecrets(kube, { lookup, teller, logger }),
    clusterId: ({ signal }) => clusterIdOf(kube, "", { signal }),
    peerPodsBehind: () => keeper.behind,
    follow(lifecycle) {
      stack.use(followToCluster(lifecycle, { keeper, teller, lookup, cloudProvider }));
      if (limit < 0 || nodeName === "") return;
      node = stack.use(advertiseNode(kube, { nodeName, limit, podUid, clock, logger }));
    },
    async withdraw({ signal }) {
      keeper.noMoreRetries();
      try {
        await node?.withdraw({ signal });
      } catch (err) {
        logger.warn({ err, node: nodeName }, "node goes on offering pod VMs, until a daemon starts there");
      }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
