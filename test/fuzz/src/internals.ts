/**
 * What the targets reach into. These modules are nobody's public interface, so the packages do not export them; this file
 * is the only place that reaches for them.
 */
export { OpenRequestSchema } from "../../../packages/cloud-api-adaptor/src/gen/peerpods/relay/v1/relay_pb.ts";
export { hypervisorRoutes } from "../../../packages/cloud-api-adaptor/src/hypervisor/routes.ts";
export { daemonOptions } from "../../../packages/cloud-api-adaptor/src/daemon/options.ts";
export { editCreateContainer } from "../../../packages/cloud-api-adaptor/src/relay/calls/create-container.ts";
export { openRequestFromMessage } from "../../../packages/cloud-api-adaptor/src/relay/control/messages.ts";
export { RelayError } from "../../../packages/cloud-api-adaptor/src/relay/errors.ts";
export { checkOpenRequest } from "../../../packages/cloud-api-adaptor/src/relay/open-request.ts";
export {
  NewerEntryError,
  parseEntry,
  serializeEntry,
} from "../../../packages/cloud-api-adaptor/src/sandbox/journal/schema.ts";
export { settle } from "../../../packages/cloud-api-adaptor/src/sandbox/testing/settle.ts";
export {
  netnsPath,
  sandboxId,
  World,
} from "../../../packages/cloud-api-adaptor/src/sandbox/testing/world.ts";
export { parseCloudVolumes } from "../../../packages/podvm/src/forwarder/cloud-volumes/annotation.ts";
export { prepareContainer } from "../../../packages/podvm/src/forwarder/requests/create-container.ts";
export { parseCloudConfig } from "../../../packages/podvm/src/user-data/cloud-config.ts";
export { UserDataError } from "../../../packages/podvm/src/user-data/errors.ts";
export { planGuestFiles } from "../../../packages/podvm/src/user-data/guest-files.ts";
export { azureSource } from "../../../packages/podvm/src/user-data/sources/azure.ts";
export { readRecord } from "../../../packages/provider-local/src/instance/record.ts";
export { echoRoutes } from "../../../packages/ttrpc/testing/echo-service.ts";
export { Echo } from "../../../packages/ttrpc/testing/gen/echo_pb.ts";
export { dataFrame, requestFrame } from "../../../packages/ttrpc/testing/raw-peer.ts";
