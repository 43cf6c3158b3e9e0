import {
  CONTRACT_VERSION,
  redactOptions,
  type CloudProvider,
  type OptionValues,
} from "@peerpods/cloud-providers";
import { awsConfig } from "./config.ts";
import { awsOptions } from "./options.ts";
import type { AwsEffects } from "./provider.ts";

/** The provider `aws`, with other effects than the machine's: a clock of a test, shorter pauses. */
export function awsProvider(effects: AwsEffects = {}): CloudProvider {
  return {
    name: "aws",
    contractVersion: CONTRACT_VERSION,
    summary: "Pod VMs on Amazon EC2",
    options: awsOptions,
    async newProvider({ config: values, env, logger }) {
      const config = awsConfig(values);
      logger.debug({ config: redactOptions(awsOptions, values as OptionValues) }, "using Amazon EC2");
      const { AwsProvider } = await import("./provider.ts");
      return new AwsProvider(config, env, { ...effects, logger });
    },
  };
}

/**
 * Pod VMs on Amazon EC2. Loading this module loads nothing of the AWS SDK, and neither does connecting; the first call
 * to the cloud does.
 */
export const provider: CloudProvider = awsProvider();
