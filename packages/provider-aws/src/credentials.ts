import type { AwsConfig } from "./config.ts";

/** What the SDK takes as credentials: keys, or something that fetches and renews them. */
export type AwsCredentials = AwsKeyPair | ((properties?: Record<string, unknown>) => Promise<AwsKeyPair>);

export interface AwsKeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** What the SDK's own clients (STS) on the way to credentials are made with. */
export interface CredentialClient {
  readonly region: string;
  readonly requestHandler: object;
}

/**
 * Credentials as configured: both keys if they are given, else a profile, else the SDK's chain (web identity of a
 * service account, shared files, container, instance role). Half a pair of keys counts as none.
 * @param env where `AWS_PROFILE`, the names of the shared files and the web identity are read from.
 */
export async function awsCredentials(
  config: Pick<AwsConfig, "credentials" | "profile">,
  env: Readonly<Record<string, string | undefined>>,
  clientConfig: CredentialClient,
): Promise<AwsCredentials> {
  const { accessKeyId, secretAccessKey, sessionToken } = config.credentials;
  if (accessKeyId !== "" && secretAccessKey !== "")
    return { accessKeyId, secretAccessKey, ...(sessionToken === "" ? {} : { sessionToken }) };
  const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
  const named = {
    profile: config.profile || env["AWS_PROFILE"],
    filepath: env["AWS_SHARED_CREDENTIALS_FILE"],
    configFilepath: env["AWS_CONFIG_FILE"],
    webIdentityTokenFile: env["AWS_WEB_IDENTITY_TOKEN_FILE"],
    roleArn: env["AWS_ROLE_ARN"],
    roleSessionName: env["AWS_ROLE_SESSION_NAME"],
  };
  const given = Object.fromEntries(
    Object.entries(named).filter(([, value]) => value !== undefined && value !== ""),
  );
  return defaultProvider({ ...given, clientConfig });
}
