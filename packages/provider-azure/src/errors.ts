import { isProviderError, ProviderError, type ProviderErrorCode } from "@peerpods/cloud-providers";

/** What is known of a failed call besides what was thrown. */
export interface FailedCall {
  /** Our name of the call. */
  readonly operation: string;
  /** Texts that must not be shown, wherever they come from. */
  readonly secrets?: readonly string[];
}

/** An answer of ARM that is no success. */
export interface Refusal {
  readonly status: number;
  /** ARM's code, the innermost that says more than that something failed. */
  readonly code: string;
  readonly message: string;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
}

/** ARM's answer becomes an error of the contract; the cause holds ARM's code, status and request id. */
export function refusalError(refusal: Refusal, { operation, secrets = [] }: FailedCall): ProviderError {
  const { status, requestId, retryAfterMs } = refusal;
  const shown = hide(refusal.message, secrets);
  const cause = Object.assign(new Error(shown), {
    name: refusal.code,
    httpStatus: status,
    ...(requestId === undefined ? {} : { requestId }),
  });
  return new ProviderError(codeOf(refusal), `${operation}: ${refusal.code}: ${shown}`, {
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/**
 * The one place where errors of the SDK and of the way to Azure become those of the contract. Nothing of the request is
 * kept: that has the user data, which has keys in it.
 */
export function toProviderError(thrown: unknown, { operation, secrets = [] }: FailedCall): ProviderError {
  if (isProviderError(thrown)) return thrown;
  if (!(thrown instanceof Error)) return ProviderError.from(thrown, operation);
  if (thrown.name === "AbortError") return ProviderError.from(thrown, operation);
  const { code, remedy } = ofThrown(thrown);
  const shown = hide(thrown.message, secrets);
  const cause = Object.assign(new Error(shown), { name: thrown.name });
  return new ProviderError(code, `${operation}: ${thrown.name}: ${shown}${remedy}`, { cause });
}

/** ARM's code of the error that was converted, e.g. `NicInUse`, or the empty string. */
export function armCodeOf(error: unknown): string {
  return isProviderError(error) && error.cause instanceof Error ? error.cause.name : "";
}

/** Whether it says that what the call is about does not exist. */
export function isGone(error: unknown): boolean {
  return isProviderError(error) && error.code === "not_found";
}

/** Whether a thing cannot go yet because something else has it, or is being changed. */
export function isInUse(error: unknown): boolean {
  return /InUse|ReservedForAnotherVm|CannotBeDeleted|^OperationNotAllowed$|AnotherOperationInProgress|^Conflict/.test(
    armCodeOf(error),
  );
}

const names: Readonly<Partial<Record<ProviderErrorCode, readonly string[]>>> = {
  no_capacity: [
    "AllocationFailed",
    "OverconstrainedAllocationRequest",
    "OverconstrainedZonalAllocationRequest",
    "SkuNotAvailable",
    "SpotAllocationFailed",
    "ZonalAllocationFailed",
  ],
  quota_exceeded: ["SubnetIsFull", "QuotaExceeded", "ResourceQuotaExceeded"],
  unauthorized: [
    "AuthenticationFailed",
    "AuthorizationFailed",
    "ExpiredAuthenticationToken",
    "InvalidAuthenticationToken",
    "InvalidAuthenticationTokenTenant",
    "LinkedAuthorizationFailed",
  ],
  invalid_config: [
    "DisallowedProvider",
    "InvalidSubscriptionId",
    "LocationNotAvailableForResourceType",
    "MissingSubscriptionRegistration",
    "ReadOnlyDisabledSubscription",
    "RequestDisallowedByPolicy",
    "ResourceGroupNotFound",
    "SubscriptionNotFound",
    "SubscriptionNotRegistered",
  ],
  not_found: [
    "GalleryImageNotFound",
    "ImageNotFound",
    "PlatformImageNotFound",
    "NotFound",
    "ResourceNotFound",
  ],
  invalid_request: ["ConflictingUserInput", "OperationNotAllowed", "PropertyChangeNotAllowed"],
  // Answers, not failures: who waits for them to change must not open the circuit for all others.
  conflict: ["NicInUse", "NicReservedForAnotherVm", "PublicIPAddressCannotBeDeleted"],
  unavailable: ["AnotherOperationInProgress", "InternalServerError", "OperationPreempted", "RetryableError"],
};
const codeByName = new Map(
  Object.entries(names).flatMap(([code, list]) => list.map((name) => [name, code as ProviderErrorCode])),
);

function codeOf({ status, code, message }: Refusal): ProviderErrorCode {
  // One code of Compute says three things: too many calls, a quota, and what is not allowed at present.
  if (status === 429) return "throttled";
  if (code === "OperationNotAllowed" && /quota/i.test(message)) return "quota_exceeded";
  const known = codeByName.get(code);
  if (known !== undefined) return known;
  if (code === "InvalidResourceReference" || status === 404) return "not_found";
  if (/(Count)?LimitReached$|QuotaExceeded/.test(code)) return "quota_exceeded";
  if (status === 401 || status === 403) return "unauthorized";
  if (status === 412) return "conflict";
  if (status === 408 || status === 409 || status >= 500) return "unavailable";
  return status >= 400 && status < 500 ? "invalid_request" : "internal";
}

function ofThrown(thrown: Error): { readonly code: ProviderErrorCode; readonly remedy: string } {
  const { code, statusCode } = thrown as Error & { readonly code?: unknown; readonly statusCode?: unknown };
  const system = systemCodeOf(thrown) ?? (typeof code === "string" ? code : "");
  if (/^(ENOENT|EACCES|EISDIR)$/.test(system))
    return { code: "unauthorized", remedy: " (is azure-token-file right?)" };
  if (/CERT|^UNABLE_TO_(VERIFY|GET)|^ERR_TLS_CERT/.test(system))
    return { code: "invalid_config", remedy: " (set azure-ca-bundle to the authority of that endpoint)" };
  if (/^(E[A-Z]+|UND_ERR_.*|EAI_.*|ERR_SSL_.*|ERR_TLS_.*|EPROTO|REQUEST_SEND_ERROR)$/.test(system)) {
    const remedy = system === "ENOTFOUND" ? " (is azure-cloud or azure-endpoint right?)" : "";
    return { code: "unavailable", remedy };
  }
  if (/Authentication|Credential|InteractionRequired|ServerError|ClientAuthError/.test(thrown.name)) {
    const failed = typeof statusCode === "number" && (statusCode >= 500 || statusCode === 429);
    return {
      code:
        failed || /network_error|endpoints_resolution/i.test(thrown.message) ? "unavailable" : "unauthorized",
      remedy: "",
    };
  }
  if (thrown.name === "TimeoutError") return { code: "unavailable", remedy: "" };
  return { code: "internal", remedy: "" };
}

/** The system's code, of the error itself or of what has caused it. */
function systemCodeOf(thrown: Error): string | undefined {
  let error: unknown = thrown;
  for (let depth = 0; depth < 5 && error instanceof Error; depth++) {
    const { code } = error as Error & { readonly code?: unknown };
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code) && code !== "REQUEST_SEND_ERROR")
      return code;
    error = error.cause;
  }
  return undefined;
}

const MAX_MESSAGE = 600;

function hide(message: string, secrets: readonly string[]): string {
  let shown = message;
  for (const secret of secrets) if (secret.length > 3) shown = shown.replaceAll(secret, "**********");
  return shown.length > MAX_MESSAGE ? `${shown.slice(0, MAX_MESSAGE)}...` : shown;
}
