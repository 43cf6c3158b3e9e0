import {
  createHttpAgents,
  ProviderError,
  type CallContext,
  type CallPolicy,
  type ProviderErrorCode,
} from "@peerpods/cloud-providers";
import { MAX_ANSWER_BYTES, readAnswer, readRefusal, type ArmAnswer, type RawAnswer } from "./answer.ts";
import type { AzureConfig } from "./config.ts";
import { azureCredential } from "./credentials.ts";
import { refusalError, toProviderError } from "./errors.ts";
import { cloudOperation, operations, type OperationName } from "./operations.ts";

/** A call's circumstances. */
export interface ArmCall extends CallContext {
  /** Hears of each try that ended without ARM's word on whether it acted. */
  readonly onUncertain?: () => void;
}

/** What is asked. */
export interface ArmRequest {
  /** Path from the endpoint on, or a whole URL that ARM has given, of the same endpoint. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Make it only where there is none. */
  readonly onlyNew?: boolean;
}

/** ARM answered nothing, or that something broke on the way. */
const uncertain: ReadonlySet<ProviderErrorCode> = new Set(["unavailable", "timeout", "aborted", "internal"]);

/** Of one request. ARM answers within a few seconds, or something is wrong. */
const REQUEST_TIMEOUT_MS = 60_000;

/** The provider's side of the Resource Manager: every call under the policy, every error converted. */
export interface Arm extends Disposable {
  call<Body = unknown>(name: OperationName, request: ArmRequest, call: ArmCall): Promise<ArmAnswer<Body>>;
  /** Text at an address that ARM has given and that carries its own permission. No token goes there. */
  download(url: string, call: CallContext): Promise<string>;
}

/** Loads the SDK and connects. Nothing is sent yet. */
export async function createArm(config: AzureConfig, policy: CallPolicy): Promise<Arm> {
  const sdk = await import("./sdk.ts");
  const { connection, credentials } = config;
  const { httpAgent, httpsAgent } = await createHttpAgents({
    ...connection,
    caBundleOption: "azure-ca-bundle (AZURE_CA_BUNDLE)",
  });
  const credential = azureCredential(sdk, config, httpsAgent);
  const http = sdk.createDefaultHttpClient();
  const plain = sdk.createEmptyPipeline();
  plain.addPolicy(sdk.agentPolicy(httpsAgent));
  const signed = plain.clone();
  signed.addPolicy(sdk.bearerTokenAuthenticationPolicy({ credential, scopes: connection.scope }));
  const secrets = [credentials.clientSecret, connection.httpProxy].filter(Boolean);
  const closed = new AbortController();

  async function send(name: OperationName, request: ArmRequest, signal: AbortSignal): Promise<RawAnswer> {
    const { method, apiVersion } = operations[name];
    const response = await signed.sendRequest(
      http,
      sdk.createPipelineRequest({
        url: urlOf(connection.endpoint, request, apiVersion),
        method,
        timeout: REQUEST_TIMEOUT_MS,
        abortSignal: AbortSignal.any([signal, closed.signal]),
        headers: sdk.createHttpHeaders({
          accept: "application/json",
          "user-agent": "peerpods-provider-azure",
          ...(request.body === undefined ? {} : { "content-type": "application/json" }),
          ...(request.onlyNew === true ? { "if-none-match": "*" } : {}),
        }),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      }),
    );
    return rawOf(response);
  }

  return {
    async call(name, request, { onUncertain, ...call }) {
      return await policy.run(
        cloudOperation(name),
        async (one) => {
          try {
            const raw = await send(name, request, one.signal);
            if (raw.status >= 400) throw refusalError(readRefusal(raw), { operation: name, secrets });
            return readAnswer(raw);
          } catch (thrown) {
            const error = toProviderError(thrown, { operation: name, secrets });
            if (uncertain.has(error.code)) onUncertain?.();
            throw error;
          }
        },
        call,
      );
    },
    async download(url, { signal }) {
      try {
        const response = await plain.sendRequest(
          http,
          sdk.createPipelineRequest({ url, abortSignal: signal, timeout: REQUEST_TIMEOUT_MS }),
        );
        if (response.status !== 200)
          throw new ProviderError(
            "unavailable",
            `the console's log was answered with HTTP ${response.status}`,
          );
        return rawOf(response).text;
      } catch (thrown) {
        throw toProviderError(thrown, { operation: "DownloadConsole", secrets: [...secrets, url] });
      }
    },
    [Symbol.dispose]() {
      closed.abort(new DOMException("the provider was closed", "AbortError"));
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

function rawOf(response: {
  readonly status: number;
  readonly bodyAsText?: string | null;
  readonly headers: { get(name: string): string | undefined };
}): RawAnswer {
  const text = response.bodyAsText ?? "";
  if (text.length > MAX_ANSWER_BYTES)
    throw new ProviderError("internal", `an answer of ${text.length} characters is over the limit`);
  return { status: response.status, text, header: (name) => response.headers.get(name) };
}

/** @throws ProviderError `internal` for a URL of another server: the token must not go there. */
function urlOf(endpoint: string, { path, query = {} }: ArmRequest, apiVersion: string): string {
  const url = new URL(path, `${endpoint}/`);
  if (url.origin !== new URL(endpoint).origin)
    throw new ProviderError("internal", `Azure refers to ${url.origin}, which is not ${endpoint}`);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  if (apiVersion !== "" && !url.searchParams.has("api-version"))
    url.searchParams.set("api-version", apiVersion);
  return url.href;
}
