import { isProviderError, ProviderError, type ProviderErrorCode } from "@peerpods/cloud-providers";
import type { OperationName } from "./operations.ts";
import { permissions } from "./permissions.ts";

/** What is known of a failed call besides what was thrown. */
export interface FailedCall {
  /** The API's name of the call. */
  readonly operation: OperationName;
  /** Texts that must not be shown, wherever they come from. */
  readonly secrets?: readonly string[];
}

/**
 * The one place where errors of the SDK, of IBM Cloud and of the way to it become those of the contract. The cause holds the
 * API's code and message and nothing of the request: that has the user data, which has keys in it.
 */
export function toProviderError(thrown: unknown, { operation, secrets = [] }: FailedCall): ProviderError {
  if (isProviderError(thrown)) return thrown;
  const failure = readFailure(thrown);
  if (failure.code === "ERR_CANCELED") return new ProviderError("aborted", `${operation}: aborted`);
  const code = codeOf(failure);
  const shown = hide(failure.message, secrets);
  const cause = Object.assign(new Error(shown), {
    name: failure.code,
    ...(failure.status === undefined ? {} : { httpStatus: failure.status }),
  });
  return new ProviderError(
    code,
    `${operation}: ${failure.code}: ${shown}${remedyOf(code, failure, operation)}`,
    {
      cause,
      ...(failure.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
    },
  );
}

/** IBM Cloud's code of the error that was converted, e.g. `validation_unique_failed`, or the empty string. */
export function ibmcloudCodeOf(error: unknown): string {
  return isProviderError(error) && error.cause instanceof Error ? error.cause.name : "";
}

/** Whether it says that what the call is about does not exist. */
export function isGone(error: unknown): boolean {
  return isProviderError(error) && error.code === "not_found";
}

interface Failure {
  /** Of the API, or of Node, e.g. `ECONNRESET`. */
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly retryAfterMs?: number;
}

/** The shapes of errors: VPC and tagging have a list, IAM and the Kubernetes Service have fields of their own. */
function readFailure(thrown: unknown): Failure {
  if (!(thrown instanceof Error)) return { code: "Error", message: `a ${typeof thrown} was thrown` };
  const { status, statusText, result, headers, code } = thrown as Error & Readonly<Record<string, unknown>>;
  if (typeof status !== "number") {
    // The SDK reads the service account's token itself, and throws plain text when it cannot.
    if (/CR token/.test(thrown.message)) return { code: "CrTokenFile", message: thrown.message };
    const systemCode = [statusText, code].find((text) => typeof text === "string" && text !== "");
    return { code: (systemCode as string | undefined) ?? thrown.name, message: thrown.message };
  }
  const body = (typeof result === "object" && result !== null ? result : {}) as Readonly<
    Record<string, unknown>
  >;
  const [first] = (Array.isArray(body["errors"]) ? body["errors"] : []) as readonly Readonly<
    Record<string, unknown>
  >[];
  const text = (...candidates: readonly unknown[]) =>
    candidates.find((value): value is string => typeof value === "string" && value !== "");
  const retryAfter = Number(
    (headers as { readonly get?: (name: string) => unknown })?.get?.("retry-after") ?? NaN,
  );
  return {
    code: text(first?.["code"], body["errorCode"], body["code"]) ?? `http_${status}`,
    // The SDK writes its own sentence over that of the API where credentials are concerned.
    message: text(first?.["message"], body["errorMessage"], body["description"], thrown.message) ?? "",
    status,
    ...(retryAfter > 0 ? { retryAfterMs: Math.min(retryAfter, 300) * 1_000 } : {}),
  };
}

/** Families of codes, looked at in this order. What is not listed is judged by its status. */
const families: readonly (readonly [RegExp, ProviderErrorCode])[] = [
  [/^BXNIM|^GST605E$|not_authorized|unauthorized|forbidden|authentication/i, "unauthorized"],
  [/over_quota|quota_exceeded|limit_exceeded/i, "quota_exceeded"],
  [
    /capacity|insufficient_(resources|ips|addresses)|cannot_start_(ip_address|placement_group)/i,
    "no_capacity",
  ],
  [/not_found$|does_not_exist/i, "not_found"],
  [/rate_limit|too_many_requests/i, "throttled"],
  [/^service_unavailable|^internal_error|^cannot_start/i, "unavailable"],
  [/^(validation|invalid|bad|missing|unsupported|malformed)_/i, "invalid_request"],
];

/** The contract's code for a code of IBM Cloud, or `undefined` when it is not among those we know. */
export function codeOfName(name: string): ProviderErrorCode | undefined {
  return families.find(([form]) => form.test(name))?.[1];
}

function codeOf({ code, status }: Failure): ProviderErrorCode {
  if (status === undefined) {
    if (code === "CrTokenFile") return "unauthorized";
    if (isCertificateProblem(code)) return "invalid_config";
    return /^(E[A-Z]+|EAI_.*|ERR_(SSL|TLS|NETWORK|BAD_RESPONSE).*|UND_ERR_.*)$/.test(code)
      ? "unavailable"
      : "internal";
  }
  if (status === 429) return "throttled";
  if (status === 401 || status === 403) return "unauthorized";
  const known = codeOfName(code);
  if (known !== undefined) return known;
  if (status === 404) return "not_found";
  // The thing is in the middle of something else.
  if (status === 409) return "unavailable";
  if (status >= 500) return "unavailable";
  return status >= 400 ? "invalid_request" : "internal";
}

function isCertificateProblem(code: string): boolean {
  return /CERT|^UNABLE_TO_(VERIFY|GET)/.test(code);
}

/** What helps, where the code alone does not say it. */
function remedyOf(
  code: ProviderErrorCode,
  { code: name, status }: Failure,
  operation: OperationName,
): string {
  if (isCertificateProblem(name)) return " (set ibmcloud-ca-bundle to the authority of that endpoint)";
  if (name === "ENOTFOUND") return " (is vpc-service-url or the zone right?)";
  if (name === "CrTokenFile")
    return " (project a service account token with audience iam to that file, or set cr-token-filename)";
  if (name.startsWith("BXNIM"))
    return " (give a valid api-key, or an iam-profile-id that trusts this service account)";
  if (code === "unauthorized" && status === 403)
    return ` (the identity needs the role ${permissions[operation].role})`;
  return "";
}

const MAX_MESSAGE = 600;

function hide(message: string, secrets: readonly string[]): string {
  let shown = message;
  for (const secret of secrets) if (secret.length > 3) shown = shown.replaceAll(secret, "**********");
  return shown.length > MAX_MESSAGE ? `${shown.slice(0, MAX_MESSAGE)}...` : shown;
}
