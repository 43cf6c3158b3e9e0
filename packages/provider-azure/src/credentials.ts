import { ProviderError } from "@peerpods/cloud-providers";
import type { Agent } from "node:https";
import type { TokenCredential } from "@azure/identity";
import type { AzureConfig } from "./config.ts";
import type * as sdkModule from "./sdk.ts";

type Sdk = typeof sdkModule;

/**
 * Credentials as configured: the client's secret if there is one, else its workload identity, by the token of the service
 * account.
 * @throws ProviderError `unauthorized` that lists what is missing.
 */
export function azureCredential(
  sdk: Pick<Sdk, "ClientSecretCredential" | "WorkloadIdentityCredential">,
  { credentials, connection }: Pick<AzureConfig, "credentials" | "connection">,
  agent: Agent,
): TokenCredential {
  const { tenant, clientId, clientSecret, tokenFile } = credentials;
  const missing = [
    ...(tenant === "" ? ["tenantid (AZURE_TENANT_ID)"] : []),
    ...(clientId === "" ? ["clientid (AZURE_CLIENT_ID)"] : []),
    ...(clientSecret === "" && tokenFile === ""
      ? [
          "secret (AZURE_CLIENT_SECRET), or for workload identity azure-token-file (AZURE_FEDERATED_TOKEN_FILE)",
        ]
      : []),
  ];
  if (missing.length > 0)
    throw new ProviderError("unauthorized", `no credentials: missing are ${missing.join(", ")}`);
  const options = {
    authorityHost: connection.authorityHost,
    disableInstanceDiscovery: !connection.knownAuthority,
    // The policy repeats calls; it knows which, how often, and until when.
    retryOptions: { maxRetries: 0 },
    agent,
  };
  return clientSecret === ""
    ? new sdk.WorkloadIdentityCredential({ ...options, tenantId: tenant, clientId, tokenFilePath: tokenFile })
    : new sdk.ClientSecretCredential(tenant, clientId, clientSecret, options);
}
