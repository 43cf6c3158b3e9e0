export { buildPeerPod, type PeerPodIntent } from "./api/build-peerpod.ts";
export { createPeerPodClient, peerPodType, type PeerPodClient, type StatusChange } from "./api/client.ts";
export { clusterIdOf } from "./api/cluster-id.ts";
export { setCondition, type Condition, type ConditionReason, type ConditionType } from "./api/conditions.ts";
export { peerPodCrd } from "./api/crd.ts";
export {
  CLUSTER_ID_ANNOTATION,
  CONFIG_MAP_NAME,
  FINALIZER,
  FORCE_RELEASE_ANNOTATION,
  GROUP,
  KIND,
  LEASE_NAME,
  NODE_LABEL,
  PLURAL,
  SECRET_NAME,
  VERSION,
} from "./api/names.ts";
export { peerPodName } from "./api/peerpod-name.ts";
export {
  parsePeerPod,
  type PeerPod,
  type PeerPodPhase,
  type PeerPodSpec,
  type PeerPodStatus,
} from "./api/peerpod.ts";
export { releasePeerPod } from "./api/release.ts";
export {
  configMaps,
  events,
  leases,
  namespaces,
  nodes,
  pods,
  secrets,
  serviceAccounts,
  type FromServer,
} from "./kubernetes/core.ts";
export { isKubernetesError, KubernetesError, type KubernetesErrorCode } from "./kubernetes/errors.ts";
export {
  createEventRecorder,
  type EventRecorder,
  type EventText,
  type InvolvedObject,
} from "./kubernetes/event-recorder.ts";
export {
  keyOf,
  startInformer,
  type Change,
  type Informer,
  type InformerOptions,
} from "./kubernetes/informer.ts";
export {
  createKubeClient,
  type KubeCallOptions,
  type KubeClient,
  type KubeRequest,
  type RequestObservation,
} from "./kubernetes/kube-client.ts";
export { loadKubeConfig } from "./kubernetes/load-kube-config.ts";
export {
  resource,
  type JsonPatchStep,
  type ListOptions,
  type ObjectKey,
  type ObjectList,
  type ObjectMeta,
  type OwnerReference,
  type Patch,
  type Resource,
  type ResourceType,
} from "./kubernetes/resource.ts";
export { daemonRules } from "./manager/daemon-rules.ts";
export { clusterRules, namespacedRules, type PolicyRule } from "./manager/rbac-rules.ts";
export { managerOptions } from "./manager/options.ts";
export { createWorkQueue, type WorkQueue, type WorkQueueOptions } from "./controller/work-queue.ts";
