import type { CloudProvider } from "../contract.ts";
import { ProviderError } from "../errors.ts";
import { checkContract } from "./check-contract.ts";
import { importPlugin, pluginSetting } from "./plugin.ts";
import { checkProviderName, unknownProvider, type ProviderRegistry } from "./registry.ts";

/** Where {@link loadProvider} looks. */
export interface ProviderSources {
  /** Providers that are built in. */
  readonly registry: ProviderRegistry;
  /** Read for the three plug-in variables only; see `pluginEnv`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * `(specifier) => import(specifier)`, written in the program that was installed: packages are looked up from the file that
   * the import stands in, and the providers lie beside the program, not beside this package.
   */
  readonly importPackage: (specifier: string) => Promise<unknown>;
}

/**
 * Finds the manager of one provider and nothing else: the plug-in file if one is switched on (it may replace a built-in
 * provider), else the registry, else the installed package `@peerpods/provider-<name>`.
 * @throws ProviderError `unknown_provider` with the known names, `plugin_refused`, `unsupported_contract`,
 * `invalid_config` for an impossible name, `internal` when an installed package cannot be imported.
 */
export async function loadProvider(name: string, sources: ProviderSources): Promise<CloudProvider> {
  checkProviderName(name);
  const plugin = pluginSetting(sources.env);
  if (plugin !== undefined) return checkContract(exported(await importPlugin(name, plugin)), name);
  if (sources.registry.has(name)) return await sources.registry.get(name);
  return checkContract(exported(await importInstalled(name, sources)), name);
}

async function importInstalled(name: string, sources: ProviderSources): Promise<unknown> {
  const specifier = `@peerpods/provider-${name}`;
  try {
    return await sources.importPackage(specifier);
  } catch (error) {
    if (isMissing(error, specifier)) throw unknownProvider(name, sources.registry.names());
    throw new ProviderError("internal", `${specifier} is installed but cannot be imported`, { cause: error });
  }
}

/** Not so when the package is there and one of its own imports is missing. */
function isMissing(error: unknown, specifier: string): boolean {
  return (
    error instanceof Error &&
    (error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND" &&
    error.message.includes(`package '${specifier}'`)
  );
}

function exported(module: unknown): unknown {
  return (module as { readonly provider?: unknown }).provider;
}
