/** Names of the PeerPod API. Those of the reference are kept, so that existing objects and tools go on working. */

export const GROUP = "confidentialcontainers.org";
export const VERSION = "v1alpha1";
export const KIND = "PeerPod";
export const PLURAL = "peerpods";

/** Holds the object until its instance is gone. Only ever this one is removed. */
export const FINALIZER = "peer.pod/finalizer";

/**
 * Annotation that our daemon puts on every PeerPod: the cluster id that its instances are tagged with. A PeerPod without
 * it was written by the Go daemon, whose instances carry no tags.
 */
export const CLUSTER_ID_ANNOTATION = `${GROUP}/cluster-id`;

/** Annotation by which a person lets go of a PeerPod whose instance cannot be deleted: value `"true"`. */
export const FORCE_RELEASE_ANNOTATION = `${GROUP}/force-release`;

/** Label with the node's name, for `kubectl get peerpods -l`. Left out when the name is over 63 characters. */
export const NODE_LABEL = `${GROUP}/node`;

/** The Lease by which controllers, also the Go one, take turns. */
export const LEASE_NAME = `33f6c5d6.${GROUP}`;

/** Where the controller finds the configuration of providers. Names of the reference. */
export const CONFIG_MAP_NAME = "peer-pods-cm";
export const SECRET_NAME = "peer-pods-secret";
