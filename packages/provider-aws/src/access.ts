import type { CallPolicy } from "@peerpods/cloud-providers";
import type { AwsConfig } from "./config.ts";
import { requestHandler } from "./connection.ts";
import { awsCredentials, type AwsCredentials } from "./credentials.ts";

/** What every client of an AWS API is made with. */
export interface Access {
  readonly region: string;
  readonly credentials: AwsCredentials;
  readonly requestHandler: Awaited<ReturnType<typeof requestHandler>>;
  /** One for all calls, since AWS counts them by account and region. */
  readonly policy: CallPolicy;
  /** Texts that no error may show. */
  readonly secrets: readonly string[];
}

/**
 * Loads what the clients share, and finds credentials when the first call needs them. Nothing is sent yet.
 * @param environment.env for the SDK's credential chain.
 */
export async function openAccess(
  config: AwsConfig,
  {
    region,
    policy,
    env,
  }: {
    readonly region: string;
    readonly policy: CallPolicy;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): Promise<Access> {
  const handler = await requestHandler(config.connection);
  const { secretAccessKey, sessionToken } = config.credentials;
  return {
    region,
    credentials: await awsCredentials(config, env, { region, requestHandler: handler }),
    requestHandler: handler,
    policy,
    secrets: [secretAccessKey, sessionToken, config.connection.httpProxy].filter(Boolean),
  };
}

/** What a client of the SDK is made with. The policy repeats calls: it knows which, how often, and until when. */
export function clientOptions(
  { region, credentials, requestHandler }: Access,
  endpoint: string,
): {
  readonly region: string;
  readonly credentials: AwsCredentials;
  readonly requestHandler: Access["requestHandler"];
  readonly maxAttempts: 1;
  readonly endpoint?: string;
} {
  return { region, credentials, requestHandler, maxAttempts: 1, ...(endpoint === "" ? {} : { endpoint }) };
}
