import {
  CONTRACT_VERSION,
  redactOptions,
  type CloudProvider,
  type OptionValues,
} from "@peerpods/cloud-providers";
import { azureConfig } from "./config.ts";
import { azureOptions } from "./options.ts";
import type { AzureEffects } from "./provider.ts";

/** The provider `azure`, with other effects than the machine's: a clock of a test, shorter pauses. */
export function azureProvider(effects: AzureEffects = {}): CloudProvider {
  return {
    name: "azure",
    contractVersion: CONTRACT_VERSION,
    summary: "Pod VMs on Microsoft Azure",
    options: azureOptions,
    async newProvider({ config: values, env, logger }) {
      const config = azureConfig(values, env);
      logger.debug({ config: redactOptions(azureOptions, values as OptionValues) }, "using Microsoft Azure");
      const { AzureProvider } = await import("./provider.ts");
      return new AzureProvider(config, { ...effects, logger });
    },
  };
}

/**
 * Pod VMs on Microsoft Azure. Loading this module loads nothing of the Azure SDK, and neither does connecting; the first
 * call to the cloud does.
 */
export const provider: CloudProvider = azureProvider();
