/**
 * What the bench drives the daemon and the relay with. These modules are nobody's public interface, so the package does not
 * export them; this file is the only place that reaches for them.
 */
export { createRelayClient } from "../../../../packages/cloud-api-adaptor/src/relay/control/client.ts";
export { relayCommandBeside } from "../../../../packages/cloud-api-adaptor/src/relay/process/relay-command.ts";
export { HypervisorClient } from "../../../../packages/cloud-api-adaptor/src/shim-client/index.ts";
export type { PodRequest } from "../../../../packages/cloud-api-adaptor/src/shim-client/index.ts";
/** The pod's namespace as a CNI plug-in leaves it: from the stage of the end-to-end tests. */
export { createPodBridge, type PodBridge, type PodNamespace } from "../../../e2e/src/stage/pod-namespace.ts";
/** The controller's own stage: an API server with PeerPods, and a hand that makes them as the daemon does. */
export { configMaps, resource } from "@peerpods/peerpod-ctrl";
export { serveCloud } from "../../../../packages/peerpod-ctrl/src/testing/cloud-server.ts";
export {
  startPeerPodCluster,
  type PeerPodCluster,
} from "../../../../packages/peerpod-ctrl/src/testing/cluster.ts";
export { createHand } from "../../../../packages/peerpod-ctrl/src/testing/scenario.ts";
