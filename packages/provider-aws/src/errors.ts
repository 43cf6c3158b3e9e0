import { isProviderError, ProviderError, type ProviderErrorCode } from "@peerpods/cloud-providers";

/** What is known of a failed call besides what was thrown. */
export interface FailedCall {
  /** EC2's name of the call. */
  readonly operation: string;
  /** Texts that must not be shown, wherever they come from. */
  readonly secrets?: readonly string[];
}

/**
 * The one place where errors of the SDK, of EC2 and of the way to it become those of the contract. The cause holds EC2's
 * code, message and request id, and nothing of the request: that has the user data, which has keys in it.
 */
export function toProviderError(thrown: unknown, { operation, secrets = [] }: FailedCall): ProviderError {
  if (isProviderError(thrown)) return thrown;
  const failure = readFailure(thrown);
  if (failure.name === "AbortError") return ProviderError.from(thrown, operation);
  const code = codeOf(failure);
  const shown = hide(failure.message, secrets);
  const cause = Object.assign(new Error(shown), {
    name: failure.name,
    ...(failure.status === undefined ? {} : { httpStatus: failure.status }),
    ...(failure.requestId === undefined ? {} : { requestId: failure.requestId }),
  });
  const name = failure.systemCode ?? failure.name;
  return new ProviderError(code, `${operation}: ${name}: ${shown}${remedyOf(code, failure)}`, {
    cause,
    ...(failure.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
  });
}

/** EC2's code of the error that was converted, e.g. `InvalidVolume.NotFound`, or the empty string. */
export function ec2CodeOf(error: unknown): string {
  return isProviderError(error) && error.cause instanceof Error ? error.cause.name : "";
}

/** Whether it says that what the call is about does not exist. */
export function isGone(error: unknown): boolean {
  return isProviderError(error) && error.code === "not_found";
}

interface Failure {
  readonly name: string;
  readonly message: string;
  readonly status?: number;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  /** Of Node or of OpenSSL, e.g. `ECONNRESET`. */
  readonly systemCode?: string;
}

function readFailure(thrown: unknown): Failure {
  if (!(thrown instanceof Error)) return { name: "Error", message: `a ${typeof thrown} was thrown` };
  const { $metadata, $response, code } = thrown as Error & {
    readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
    readonly $response?: { readonly statusCode?: number; readonly headers?: Record<string, string> };
    readonly code?: unknown;
  };
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  const retryAfter = Number($response?.headers?.["retry-after"] ?? NaN);
  return {
    name: thrown.name,
    message: thrown.message,
    ...(status === undefined ? {} : { status }),
    ...($metadata?.requestId === undefined ? {} : { requestId: $metadata.requestId }),
    ...(retryAfter > 0 ? { retryAfterMs: Math.min(retryAfter, 300) * 1_000 } : {}),
    ...(typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code) ? { systemCode: code } : {}),
  };
}

const names: Readonly<Partial<Record<ProviderErrorCode, readonly string[]>>> = {
  throttled: [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "RequestThrottled",
    "RequestThrottledException",
    "EC2ThrottledException",
    "TooManyRequestsException",
    "BandwidthLimitExceeded",
    "SlowDown",
  ],
  no_capacity: [
    "InsufficientInstanceCapacity",
    "InsufficientCapacity",
    "InsufficientHostCapacity",
    "InsufficientReservedInstanceCapacity",
    "InsufficientReservedInstancesCapacity",
    // Another zone's subnet may have addresses, and another zone may offer the type.
    "InsufficientFreeAddressesInSubnet",
    "InsufficientCidrBlocks",
    "Unsupported",
    "SpotMaxPriceTooLow",
  ],
  quota_exceeded: ["MaxSpotInstanceCountExceeded"],
  unauthorized: [
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "Blocked",
    "CredentialsProviderError",
    "ExpiredToken",
    "ExpiredTokenException",
    "IDPCommunicationError",
    "IDPRejectedClaim",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidIdentityToken",
    "InvalidIdentityTokenException",
    "MissingAuthenticationToken",
    "OptInRequired",
    "PendingVerification",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "TokenProviderError",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
  ],
  not_found: ["InvalidAMIID.Unavailable", "InvalidInstanceType", "NoSuchEntity", "NoSuchResourceException"],
  conflict: ["IdempotentParameterMismatch", "IdempotentInstanceTerminated"],
  unavailable: [
    "DependencyViolation",
    "IncorrectInstanceState",
    "IncorrectState",
    "InternalError",
    "InternalFailure",
    "InvalidIPAddress.InUse",
    "InvalidNetworkInterface.InUse",
    "OperationNotPermitted.InUse",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServerInternal",
    "ServiceUnavailable",
    "TimeoutError",
    "Unavailable",
  ],
  invalid_request: [
    "AttachmentLimitExceeded",
    "MissingParameter",
    "TagLimitExceeded",
    "UnknownParameter",
    "UnsupportedOperation",
    "ValidationError",
    "VolumeInUse",
  ],
};
const codeByName = new Map(
  Object.entries(names).flatMap(([code, list]) => list.map((name) => [name, code as ProviderErrorCode])),
);

/** Families, looked at in this order when the name itself is not listed. */
const families: readonly (readonly [RegExp, ProviderErrorCode])[] = [
  [/NotFound(Exception)?$/, "not_found"],
  [/LimitExceeded$/, "quota_exceeded"],
  [/^(Invalid|Missing|Unknown|Unsupported|Malformed)/, "invalid_request"],
];

/** The contract's code for a code of EC2, or `undefined` when it is not among those we know. */
export function codeOfName(name: string): ProviderErrorCode | undefined {
  return codeByName.get(name) ?? families.find(([form]) => form.test(name))?.[1];
}

function codeOf({ name, status, systemCode = "" }: Failure): ProviderErrorCode {
  const known = codeByName.get(name);
  if (known !== undefined) return known;
  if (isCertificateProblem(systemCode)) return "invalid_config";
  if (/^(E[A-Z]+|UND_ERR_.*|EAI_.*|ERR_SSL_.*|ERR_TLS_.*|EPROTO)$/.test(systemCode)) return "unavailable";
  const family = codeOfName(name);
  if (family !== undefined) return family;
  if (status === 429) return "throttled";
  return status !== undefined && status >= 500 ? "unavailable" : "internal";
}

function isCertificateProblem(systemCode: string): boolean {
  return /CERT|^UNABLE_TO_(VERIFY|GET)|^ERR_TLS_CERT/.test(systemCode);
}

/** What helps, where the code alone does not say it. */
function remedyOf(code: ProviderErrorCode, { name, systemCode = "" }: Failure): string {
  if (isCertificateProblem(systemCode)) return " (set aws-ca-bundle to the authority of that endpoint)";
  if (systemCode === "ENOTFOUND") return " (is aws-region or aws-endpoint right?)";
  if (name === "RequestExpired") return " (the credentials have expired, or this machine's clock is wrong)";
  if (code === "unauthorized" && name === "CredentialsProviderError")
    return " (give aws-access-key-id and aws-secret-key, a profile, or a role)";
  return "";
}

const MAX_MESSAGE = 600;

function hide(message: string, secrets: readonly string[]): string {
  // The encoded part is long, tells a person nothing, and is meant for those who may decode it.
  let shown = message.replace(/\s*Encoded authorization failure message:.*$/s, "");
  for (const secret of secrets) if (secret.length > 3) shown = shown.replaceAll(secret, "**********");
  return shown.length > MAX_MESSAGE ? `${shown.slice(0, MAX_MESSAGE)}...` : shown;
}
