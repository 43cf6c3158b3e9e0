export {
  startIbmcloudStandIn,
  standInApiKey,
  standInProfile,
  type IbmcloudStandIn,
  type SeenCall,
} from "./stand-in.ts";
export type { ArmedFault, Fault, FaultKind } from "@peerpods/test-harness";
export { missingPythonSdk, runSecondClient } from "./second-client.ts";
export type { Account } from "./account.ts";
export type { StoredInstance, StoredVolume } from "./state.ts";
