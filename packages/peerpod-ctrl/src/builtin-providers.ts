import { createProviderRegistry, type ProviderRegistry } from "@peerpods/cloud-providers";

/**
 * The providers that the program has built in: none here, where a provider is a package that is found by its name. A bundle
 * (`PROVIDERS=aws,libvirt pnpm bundle`) has this file replaced by one with those it was asked for.
 */
export function builtinProviders(): ProviderRegistry {
  return createProviderRegistry();
}
