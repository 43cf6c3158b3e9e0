import {
  CONTRACT_VERSION,
  redactOptions,
  type CloudProvider,
  type OptionValues,
} from "@peerpods/cloud-providers";
import { ibmcloudConfig } from "./config.ts";
import { inClusterOf } from "./kubernetes.ts";
import { ibmcloudOptions } from "./options.ts";
import type { IbmcloudEffects } from "./provider.ts";

/** The provider `ibmcloud`, with other effects than the machine's: a clock of a test, shorter pauses. */
export function ibmcloudProvider(effects: IbmcloudEffects = {}): CloudProvider {
  return {
    name: "ibmcloud",
    contractVersion: CONTRACT_VERSION,
    summary: "Pod VMs on IBM Cloud VPC",
    options: ibmcloudOptions,
    async newProvider({ config: values, env, logger }) {
      const config = ibmcloudConfig(values);
      logger.debug({ config: redactOptions(ibmcloudOptions, values as OptionValues) }, "using IBM Cloud VPC");
      const { IbmcloudProvider } = await import("./provider.ts");
      const cluster = inClusterOf(env);
      return new IbmcloudProvider(config, {
        ...(cluster === undefined ? {} : { cluster }),
        ...effects,
        logger,
      });
    },
  };
}

/**
 * Pod VMs on IBM Cloud VPC. Loading this module loads nothing of the SDK, and neither does connecting; the first call to
 * the cloud does.
 */
export const provider: CloudProvider = ibmcloudProvider();
