import {
  CONTRACT_VERSION,
  createCallPolicy,
  ProviderError,
  systemClock,
  type CloudProvider,
} from "@peerpods/cloud-providers";
import { createClient } from "./client.ts";
import { options, toConfig } from "./options.ts";
import { createProvider } from "./provider.ts";

/** What a program finds by the name of this package. Checks what can be checked without the cloud; the first call connects. */
export const provider: CloudProvider = {
  name: "acme",
  contractVersion: CONTRACT_VERSION,
  summary: "Pod VMs on Acme",
  options,
  async newProvider({ config: values }) {
    const config = toConfig(values);
    if (!URL.canParse(config.endpoint))
      throw new ProviderError(
        "invalid_config",
        `acme-endpoint (ACME_ENDPOINT) is no address: ${config.endpoint}`,
      );
    const policy = createCallPolicy({ scope: `acme ${config.endpoint}` });
    return createProvider({
      client: createClient(config, policy),
      config,
      clock: systemClock,
      pollMs: 1_000,
    });
  },
};
