export {
  CONTRACT_VERSION,
  hasInventory,
  isPlacementAware,
  type CallContext,
  type CloudProvider,
  type CloudVolume,
  type CreateInstanceRequest,
  type DeleteInstanceRequest,
  type Finding,
  type Instance,
  type InstanceRecord,
  type InstanceSpec,
  type Inventory,
  type Placement,
  type PlacementAware,
  type Provider,
  type ProviderContext,
  type Tags,
} from "./contract.ts";
export {
  isProviderError,
  ProviderError,
  type LeftResource,
  type ProviderErrorCode,
  type ProviderErrorOptions,
} from "./errors.ts";
export { instanceName } from "./identity/instance-name.ts";
export { instanceTags, tagKeys, type InstanceOwner } from "./identity/instance-tags.ts";
export { instanceToken } from "./identity/instance-token.ts";
export { silentLogger, type Logger } from "./logger.ts";
export type { Option, OptionSpec, OptionType } from "./options/spec.ts";
export { addCloudProvider, createProviderRegistry, type ProviderRegistry } from "./registry.ts";
export { cloudConfig, type CloudConfigFile } from "./user-data/cloud-config.ts";
