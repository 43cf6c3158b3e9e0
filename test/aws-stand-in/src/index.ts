export { type AwsStandIn, type SeenCall, standInKey, startAwsStandIn } from "./stand-in.ts";
export type { ArmedFault, Fault, FaultKind } from "@peerpods/test-harness";
export { missingMoto } from "./moto.ts";
export { childOf, itemsOf, parseAnswer, textOf, type Xml } from "./xml.ts";
export { startMetadataStandIn, type MetadataStandIn } from "./metadata.ts";
export { startStsStandIn, type StsCredentials, type StsStandIn } from "./sts.ts";
export { neededPermissions } from "./permissions.ts";
