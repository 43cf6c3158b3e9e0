import { createHttpAgents } from "@peerpods/cloud-providers";
import type { ConnectionConfig } from "./config.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** Of one request. EC2 answers within a few seconds, or something is wrong. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * What carries the SDK's requests.
 * @throws ProviderError `invalid_config` when the file of authorities cannot be used.
 */
export async function requestHandler(config: ConnectionConfig) {
  const { NodeHttpHandler } = await import("@smithy/node-http-handler");
  const agents = await createHttpAgents({ ...config, caBundleOption: "aws-ca-bundle (AWS_CA_BUNDLE)" });
  return new NodeHttpHandler({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    ...agents,
  });
}
