import { CLUSTER_ID_ANNOTATION, FINALIZER, GROUP, KIND, NODE_LABEL, VERSION } from "./names.ts";
import { peerPodName } from "./peerpod-name.ts";
import type { PeerPodSpec } from "./peerpod.ts";

/** What the daemon knows when it records an intent. */
export interface PeerPodIntent {
  readonly clusterId: string;
  readonly podName: string;
  readonly podNamespace: string;
  /** Absent when the Pod could not be read: the object then has no owner, and the daemon must delete it itself. */
  readonly podUid?: string;
  readonly spec: PeerPodSpec & { readonly sandboxID: string };
}

/** The object to POST: name, finalizer, owner, label and annotation as the controller expects them. */
export function buildPeerPod({ clusterId, podName, podNamespace, podUid, spec }: PeerPodIntent) {
  const { nodeName = "" } = spec;
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: KIND,
    metadata: {
      name: peerPodName(podName, spec.sandboxID),
      namespace: podNamespace,
      finalizers: [FINALIZER],
      annotations: { [CLUSTER_ID_ANNOTATION]: clusterId },
      ...(/^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/.test(nodeName)
        ? { labels: { [NODE_LABEL]: nodeName } }
        : {}),
      ...(podUid === undefined
        ? {}
        : {
            ownerReferences: [
              {
                apiVersion: "v1",
                kind: "Pod",
                name: podName,
                uid: podUid,
                controller: true,
                // Blocking the owner's deletion takes the right to update pods/finalizers where that is checked; the
                // garbage collector needs it only for foreground deletion, which would then wait for the cloud.
                blockOwnerDeletion: false,
              },
            ],
          }),
    },
    spec,
  };
}
