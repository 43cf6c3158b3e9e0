export {
  abilitiesOf,
  abilityNames,
  hasConsoleLogs,
  hasInventory,
  isPlacementAware,
  supportsImages,
  supportsMultiNic,
  supportsSpot,
  supportsVolumes,
  type AbilityName,
  type AttachedVolume,
  type ConsoleLog,
  type ConsoleLogs,
  type ConsoleLogsRequest,
  type Images,
  type ImageUpload,
  type InstanceRecord,
  type InstanceReference,
  type Inventory,
  type MultiNic,
  type NetworkInterface,
  type PlacementAware,
  type Spot,
  type Volumes,
} from "./abilities.ts";
export { systemClock, type Clock } from "./clock.ts";
export { createHttpAgents, type HttpAgentOptions } from "./connection/http-agents.ts";
export { lastBytes } from "./console/last-bytes.ts";
export {
  CONTRACT_VERSION,
  UNDO_TIMEOUT_MS,
  type CallContext,
  type CloudProvider,
  type CloudVolume,
  type CreateInstanceRequest,
  type DeleteInstanceRequest,
  type Finding,
  type Instance,
  type InstanceSpec,
  type Placement,
  type Provider,
  type ProviderContext,
  type Tags,
} from "./contract.ts";
export {
  isProviderError,
  ProviderError,
  type ProviderErrorCode,
  type ProviderErrorOptions,
} from "./errors.ts";
export { connectProvider, guardProvider, type GuardOptions } from "./guard/guard-provider.ts";
export { instanceName } from "./identity/instance-name.ts";
export {
  instanceTags,
  matchesTags,
  ownerTags,
  tagKeys,
  type InstanceOwner,
} from "./identity/instance-tags.ts";
export { checkToken, instanceToken } from "./identity/instance-token.ts";
export { createCapacityMemory, type CapacityMemory } from "./instance-types/capacity-memory.ts";
export { placementsOf, walkPlacements } from "./instance-types/placements.ts";
export {
  selectInstanceTypes,
  sortInstanceTypes,
  type InstanceType,
  type InstanceTypeChoice,
  type TypeWish,
} from "./instance-types/select.ts";
export { beforeAbort } from "./request/before-abort.ts";
export { checkCreateRequest, checkInstanceReference, type RequestLimits } from "./request/check-request.ts";
export { createKeyedLock, type KeyedLock } from "./request/keyed-lock.ts";
export { makeOrUndo, type Undoable } from "./request/make-or-undo.ts";
export { limitedCall } from "./request/limited-call.ts";
export { shared, type Shared } from "./request/shared.ts";
export { silentLogger, type Logger } from "./logger.ts";
export { optionsHelp, optionsJson, optionsMarkdown } from "./options/describe.ts";
export { parseDuration } from "./options/duration.ts";
export { optionsHelmValues } from "./options/helm.ts";
export {
  loadOptions,
  OptionsError,
  type HelpRequested,
  type LoadedOptions,
  type OptionSources,
  type OptionValues,
} from "./options/load.ts";
export { redactOptions } from "./options/redact.ts";
export type { Option, OptionSpec, OptionType } from "./options/spec.ts";
export type { OptionValue } from "./options/value.ts";
export { packageVersion } from "./release.ts";
export { loadProvider, type ProviderSources } from "./registry/load-provider.ts";
export { pluginEnv } from "./registry/plugin.ts";
export {
  addCloudProvider,
  createProviderRegistry,
  type CloudProviderLoader,
  type ProviderRegistry,
} from "./registry/registry.ts";
export { createCloudConfig, type CloudConfigFile } from "./user-data/cloud-config.ts";
export { encodeUserData, type UserDataLimit } from "./user-data/encode-user-data.ts";
export { lookUntil } from "./call-policy/look-until.ts";
export {
  createCallPolicies,
  createCallPolicy,
  type CallPolicy,
  type CallPolicyOptions,
  type CloudOperation,
  type Try,
} from "./call-policy/call-policy.ts";
export { createCheck, problem, warning, type Check, type FindingWords } from "./verify/findings.ts";
