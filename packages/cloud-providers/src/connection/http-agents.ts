import { readFile } from "node:fs/promises";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { rootCertificates } from "node:tls";
import { ProviderError } from "../errors.ts";

const MAX_SOCKETS = 64;

/** The way to a cloud's API. Empty strings: not given. */
export interface HttpAgentOptions {
  /** URL of an HTTP proxy. */
  readonly httpProxy: string;
  /** Hosts that are called without it, separated by commas. */
  readonly noProxy: string;
  /** PEM file of authorities that are trusted beside the public ones. */
  readonly caBundle: string;
  /** How messages name the option of {@link caBundle}, e.g. `aws-ca-bundle (AWS_CA_BUNDLE)`. */
  readonly caBundleOption: string;
}

/**
 * What carries a cloud SDK's requests: kept-alive connections, by a proxy and with more trusted authorities where that is
 * configured. Destroy both when they are no longer needed; that may be done twice.
 * @throws ProviderError `invalid_config` when the file of authorities cannot be used.
 */
export async function createHttpAgents(
  options: HttpAgentOptions,
): Promise<{ readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent }> {
  const { httpProxy, noProxy, caBundle } = options;
  const common = {
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    ...(httpProxy === ""
      ? {}
      : { proxyEnv: { HTTP_PROXY: httpProxy, HTTPS_PROXY: httpProxy, NO_PROXY: noProxy } }),
  };
  const ca = caBundle === "" ? undefined : [...rootCertificates, await readAuthorities(options)];
  return {
    httpAgent: new HttpAgent(common),
    httpsAgent: new HttpsAgent({ ...common, ...(ca === undefined ? {} : { ca }) }),
  };
}

async function readAuthorities({ caBundle, caBundleOption }: HttpAgentOptions): Promise<string> {
  const text = await readFile(caBundle, "utf8").catch((error: unknown) => {
    throw new ProviderError("invalid_config", `${caBundleOption}: cannot read ${caBundle}`, { cause: error });
  });
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new ProviderError("invalid_config", `${caBundleOption}: ${caBundle} holds no certificate in PEM`);
}
