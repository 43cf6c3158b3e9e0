import type { CloudProvider } from "../contract.ts";
import { ProviderError } from "../errors.ts";
import { checkContract } from "./check-contract.ts";

/** Makes the manager of one provider; called at most once, and only for the provider that runs. */
export type CloudProviderLoader = () => Promise<CloudProvider>;

/** The providers that a program knows. Built in one visible place; there is no global one. */
export interface ProviderRegistry {
  /** Names in alphabetical order. */
  names(): readonly string[];
  has(name: string): boolean;
  /**
   * The manager of that name, its contract checked.
   * @throws ProviderError `unknown_provider` with all known names, `unsupported_contract`.
   */
  get(name: string): Promise<CloudProvider>;
  /** @throws ProviderError `invalid_config` for a name that is taken or not `[a-z][a-z0-9-]*`. */
  add(name: string, manager: CloudProvider | CloudProviderLoader): void;
}

/** A registry with these providers in it. */
export function createProviderRegistry(managers: readonly CloudProvider[] = []): ProviderRegistry {
  const loaders = new Map<string, CloudProviderLoader>();
  const names = () => [...loaders.keys()].sort();
  const registry: ProviderRegistry = {
    names,
    has: (name) => loaders.has(name),
    async get(name) {
      const load = loaders.get(name);
      if (load === undefined) throw unknownProvider(name, names());
      return checkContract(await load(), name);
    },
    add(name, manager) {
      checkProviderName(name);
      if (loaders.has(name))
        throw new ProviderError("invalid_config", `there is a provider ${name} in the registry already`);
      loaders.set(name, typeof manager === "function" ? once(manager) : () => Promise.resolve(manager));
    },
  };
  for (const manager of managers) registry.add(manager.name, manager);
  return registry;
}

/**
 * Adds a provider under a name, as a value or as a function that imports it when it is first used.
 * @throws ProviderError `invalid_config` for a name that is taken or not `[a-z][a-z0-9-]*`.
 */
export function addCloudProvider(
  registry: ProviderRegistry,
  name: string,
  manager: CloudProvider | CloudProviderLoader,
): void {
  registry.add(name, manager);
}

/** The error for a name that no one knows; it lists those that someone does. */
export function unknownProvider(name: string, known: readonly string[]): ProviderError {
  const list = known.length === 0 ? "none is built in" : `built in are ${known.join(", ")}`;
  return new ProviderError(
    "unknown_provider",
    `no cloud provider ${JSON.stringify(name)}: ${list}, and the package @peerpods/provider-${name} is not installed`,
  );
}

/** @throws ProviderError `invalid_config`, because the name becomes part of package and file names. */
export function checkProviderName(name: string): void {
  if (/^[a-z][a-z0-9-]{0,62}$/.test(name)) return;
  throw new ProviderError(
    "invalid_config",
    `${JSON.stringify(name.slice(0, 80))} is not a provider name: at most 63 of a-z, 0-9 and -, a letter first`,
  );
}

/** A failed load is tried again: the package may have been installed meanwhile. */
function once(load: CloudProviderLoader): CloudProviderLoader {
  let loaded: Promise<CloudProvider> | undefined;
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
