import type { CloudProvider } from "./contract.ts";
import { CONTRACT_VERSION } from "./contract.ts";
import { ProviderError } from "./errors.ts";

/** The providers a program knows, by name. Made in one visible place, the program's main file. */
export interface ProviderRegistry {
  /** Names in alphabetical order. */
  names(): readonly string[];
  get(name: string): CloudProvider | undefined;
  /** @throws ProviderError `invalid_config` that lists the known names. */
  require(name: string): CloudProvider;
}

interface Entries extends ProviderRegistry {
  readonly entries: Map<string, CloudProvider>;
}

export function createProviderRegistry(providers: readonly CloudProvider[] = []): ProviderRegistry {
  const entries = new Map<string, CloudProvider>();
  const registry: Entries = {
    entries,
    names: () => [...entries.keys()].sort(),
    get: (name) => entries.get(name),
    require(name) {
      const provider = entries.get(name);
      if (provider !== undefined) return provider;
      const known = registry.names().join(", ") || "none";
      throw new ProviderError("invalid_config", `unknown cloud provider "${name}"; known are: ${known}`);
    },
  };
  for (const provider of providers) addCloudProvider(registry, provider.name, provider);
  return registry;
}

/**
 * Puts a provider into a registry.
 * @throws ProviderError `invalid_config` when the name is taken or is not the provider's own, `unsupported_contract`
 * when it was built for another major version of the contract.
 */
export function addCloudProvider(registry: ProviderRegistry, name: string, provider: CloudProvider): void {
  const { entries } = registry as Entries;
  if (!/^[a-z][a-z0-9-]*$/.test(name) || provider.name !== name)
    throw new ProviderError(
      "invalid_config",
      `a provider named "${provider.name}" cannot be registered as "${name}"`,
    );
  if (entries.has(name)) throw new ProviderError("invalid_config", `two cloud providers are named "${name}"`);
  checkContract(provider);
  entries.set(name, provider);
}

function checkContract({ name, contractVersion }: CloudProvider): void {
  const [ours] = CONTRACT_VERSION.split(".");
  const [theirs] = contractVersion.split(".");
  if (ours === theirs) return;
  throw new ProviderError(
    "unsupported_contract",
    `cloud provider "${name}" was built for version ${contractVersion} of the provider contract, this program has ` +
      `${CONTRACT_VERSION}; install a version of @peerpods/provider-${name} for contract ${ours}.x`,
  );
}
