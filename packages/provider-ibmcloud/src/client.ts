import {
  beforeAbort,
  createHttpAgents,
  ProviderError,
  type CallContext,
  type CallPolicy,
  type ProviderErrorCode,
} from "@peerpods/cloud-providers";
import type { ContainerAuthenticator, IamAuthenticator } from "ibm-cloud-sdk-core";
import type * as SdkModule from "./sdk.ts";
import type { CredentialsConfig, IbmcloudConfig } from "./config.ts";
import { toProviderError } from "./errors.ts";
import { cloudOperation, operations, type AnswerOf, type OperationName, type Service } from "./operations.ts";

/** Version of the VPC API that the model was written from, and its generation. */
const VPC_QUERY = { version: "2026-10-06", generation: 2 } as const;

/** Of one request. IBM Cloud answers within a few seconds, or something is wrong. */
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** A call's circumstances. */
export interface IbmcloudCall extends CallContext {
  /** Hears of each try that ended without IBM Cloud's word on whether it acted. */
  readonly onUncertain?: () => void;
}

/** What a call is about. */
export interface CallInput {
  /** Fills `{id}` in the path. */
  readonly id?: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
}

/** The provider's side of IBM Cloud's APIs: every call under the policy, every answer checked, every error converted. */
export interface Ibmcloud extends Disposable {
  /** @throws ProviderError */
  call<Name extends OperationName>(name: Name, input: CallInput, call: IbmcloudCall): Promise<AnswerOf<Name>>;
}

type Sdk = typeof SdkModule;

/** IBM Cloud answered nothing, or it answered that something broke on the way. */
const uncertain: ReadonlySet<ProviderErrorCode> = new Set(["unavailable", "timeout", "aborted", "internal"]);

/**
 * Loads the SDK and prepares the connection. Nothing is sent yet.
 * @throws ProviderError `invalid_config` when the file of authorities cannot be used.
 */
export async function createIbmcloud(
  config: IbmcloudConfig,
  { vpcUrl, policy }: { readonly vpcUrl: string; readonly policy: CallPolicy },
): Promise<Ibmcloud> {
  const sdk = await import("./sdk.ts");
  const { connection, credentials } = config;
  const agents = await createHttpAgents({
    ...connection,
    caBundleOption: "ibmcloud-ca-bundle (IBMCLOUD_CA_BUNDLE)",
  });
  // `proxy: false`: the agents know the proxy; else axios would look for one in the environment.
  const axios = {
    ...agents,
    proxy: false,
    timeout: REQUEST_TIMEOUT_MS,
    maxContentLength: MAX_ANSWER_BYTES,
    maxRedirects: 0,
  };
  const authenticator = authenticatorOf(sdk, credentials, { url: connection.iamUrl, ...axios });
  const service = new sdk.JsonService({ authenticator, serviceUrl: vpcUrl, ...axios });
  const urls: Readonly<Record<Service, string>> = {
    vpc: vpcUrl,
    tagging: connection.taggingUrl,
    containers: connection.containersUrl,
  };
  const secrets = [credentials.apiKey, credentials.profileId, connection.httpProxy].filter(Boolean);

  async function send(
    name: OperationName,
    { id, query, body }: CallInput,
    signal: AbortSignal,
  ): Promise<unknown> {
    const { service: api, method, path } = operations[name];
    const request = service.send({
      options: {
        method,
        url: path,
        qs: { ...(api === "vpc" ? VPC_QUERY : {}), ...query },
        ...(id === undefined ? {} : { path: { id } }),
        ...(body === undefined ? {} : { body }),
      },
      defaultOptions: {
        serviceUrl: urls[api],
        headers: {
          Accept: "application/json",
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        axiosOptions: { signal },
      },
    });
    // The token's own request cannot be aborted; the one that follows it is then never sent.
    return (await beforeAbort(request, signal)).result;
  }

  return {
    async call(name, input, { onUncertain, ...call }) {
      return await policy.run(
        cloudOperation(name),
        async (one) => {
          one.requests(1);
          try {
            return parseAnswer(name, await send(name, input, one.signal));
          } catch (thrown) {
            const failed = one.signal.aborted ? ProviderError.from(one.signal.reason, name) : thrown;
            const error = toProviderError(failed, { operation: name, secrets });
            if (uncertain.has(error.code)) onUncertain?.();
            throw error;
          }
        },
        call,
      );
    },
    [Symbol.dispose]() {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

function authenticatorOf(
  sdk: Sdk,
  { apiKey, profileId, tokenFile }: CredentialsConfig,
  options: { readonly url: string },
): IamAuthenticator | ContainerAuthenticator {
  if (apiKey !== "") return new sdk.IamAuthenticator({ apikey: apiKey, ...options });
  return new sdk.ContainerAuthenticator({ iamProfileId: profileId, crTokenFilename: tokenFile, ...options });
}

function parseAnswer<Name extends OperationName>(name: Name, result: unknown): AnswerOf<Name> {
  const parsed = operations[name].answer.safeParse(result);
  if (parsed.success) return parsed.data as AnswerOf<Name>;
  const [issue] = parsed.error.issues;
  throw new ProviderError(
    "internal",
    `${name}: IBM Cloud's answer is not as documented: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
  );
}
