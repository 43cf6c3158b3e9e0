import { readFile } from "node:fs/promises";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { rootCertificates } from "node:tls";
import { ProviderError } from "@peerpods/cloud-providers";
import type { ConnectionConfig } from "./config.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** Of one request. EC2 answers within a few seconds, or something is wrong. */
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_SOCKETS = 64;

/**
 * What carries the SDK's requests: by a proxy and with more trusted authorities where that is configured.
 * @throws ProviderError `invalid_config` when the file of authorities cannot be used.
 */
export async function requestHandler(config: ConnectionConfig) {
  const { NodeHttpHandler } = await import("@smithy/node-http-handler");
  const { httpProxy, noProxy, caBundle } = config;
  const proxyEnv =
    httpProxy === "" ? undefined : { HTTP_PROXY: httpProxy, HTTPS_PROXY: httpProxy, NO_PROXY: noProxy };
  const ca = caBundle === "" ? undefined : [...rootCertificates, await readAuthorities(caBundle)];
  const common = {
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    ...(proxyEnv === undefined ? {} : { proxyEnv }),
  };
  return new NodeHttpHandler({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    throwOnRequestTimeout: true,
    httpAgent: new HttpAgent(common),
    httpsAgent: new HttpsAgent({ ...common, ...(ca === undefined ? {} : { ca }) }),
  });
}

async function readAuthorities(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new ProviderError("invalid_config", `aws-ca-bundle (AWS_CA_BUNDLE): cannot read ${path}`, {
      cause: error,
    });
  });
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new ProviderError(
    "invalid_config",
    `aws-ca-bundle (AWS_CA_BUNDLE): ${path} holds no certificate in PEM`,
  );
}
