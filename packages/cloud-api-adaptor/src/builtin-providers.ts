import { addCloudProvider, createProviderRegistry } from "@peerpods/cloud-providers";
import type { ProviderRegistry } from "@peerpods/cloud-providers";

/** The providers that the daemon and the tool have built in. Each is imported when it is first used. */
export function builtinProviders(): ProviderRegistry {
  const registry = createProviderRegistry();
  addCloudProvider(registry, "local", async () => (await import("@peerpods/provider-local")).provider);
  addCloudProvider(registry, "libvirt", async () => (await import("@peerpods/provider-libvirt")).provider);
  return registry;
}
