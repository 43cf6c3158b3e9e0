export { CONTRACT_VERSION, hasInventory, isPlacementAware } from "./contract.ts";
export { ProviderError, isProviderError } from "./errors/provider-error.ts";
export { instanceName } from "./instance/name.ts";
export { instanceTags, matchesTags, ownerTags, tagKeys } from "./instance/tags.ts";
export { checkToken, instanceToken } from "./instance/token.ts";
export { silentLogger } from "./logger.ts";
export { addCloudProvider, createProviderRegistry } from "./registry/registry.ts";
export { createCloudConfig } from "./user-data/cloud-config.ts";
export { encodeUserData } from "./user-data/encode-user-data.ts";
export type {
  CallContext,
  CloudProvider,
  CloudVolume,
  CreateInstanceRequest,
  DeleteInstanceRequest,
  Finding,
  Instance,
  InstanceRecord,
  InstanceSpec,
  Inventory,
  Placement,
  PlacementAware,
  Provider,
  ProviderContext,
  Tags,
} from "./contract.ts";
export type { ProviderErrorCode, ProviderErrorOptions } from "./errors/provider-error.ts";
export type { InstanceOwner } from "./instance/tags.ts";
export type { Logger } from "./logger.ts";
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
export type { CloudProviderLoader, ProviderRegistry } from "./registry/registry.ts";
export type { CloudConfigFile } from "./user-data/cloud-config.ts";
export type { UserDataLimit } from "./user-data/encode-user-data.ts";
