/** Why a provider could not do what it was asked. The lifecycle decides by these words, never by message text. */
export type ProviderErrorCode =
  /** What the caller asked can never work: an empty id, user data over the cloud's limit, a type that is not allowed. */
  | "invalid_request"
  /** An option, or what it names, is wrong or missing. The message names the option. */
  | "invalid_config"
  /** Credentials are missing, wrong or expired, or do not allow the call. */
  | "unauthorized"
  /** Something the call needs (image, subnet, volume) does not exist. Never said of an instance that is to be deleted. */
  | "not_found"
  /** The cloud has no machine of this type in this zone at present. Another placement may have one. */
  | "no_capacity"
  /** The account's own limit is reached. Another zone does not help; a person or time does. */
  | "quota_exceeded"
  /** Too many calls: refused by the cloud, or by our own token bucket before it was asked. */
  | "throttled"
  /** The cloud, or the way to it, failed: 5xx, connection refused or reset. */
  | "unavailable"
  /** The token was used for another request, or for an instance that has ended. */
  | "conflict"
  /** The deadline passed. Something may exist: delete by token. */
  | "timeout"
  /** The caller is gone. Something may exist: delete by token. */
  | "aborted"
  /** Not asked, because earlier calls failed so often; the message says which and when it is tried again. */
  | "circuit_open"
  /** No provider of that name, built in, installed or named by configuration. */
  | "unknown_provider"
  /** A plug-in file that is missing, open to others, of the wrong name or changed since it was hashed. */
  | "plugin_refused"
  /** The package or file was built for another major version of the contract, or does not keep to it. */
  | "unsupported_contract"
  /** A defect in the provider, or an answer of the cloud that no one foresaw. */
  | "internal";

/** Options of a {@link ProviderError}. */
export interface ProviderErrorOptions {
  readonly cause?: unknown;
  /** Default: by code; true for `throttled`, `unavailable`, `timeout` and `circuit_open`. */
  readonly retryable?: boolean;
  /** Resources that were made and could not be undone, as the cloud names them, e.g. `eni-0a1b2c`. */
  readonly left?: readonly string[];
  /** How long the cloud asks to wait before the next call. */
  readonly retryAfterMs?: number;
}

const brand: unique symbol = Symbol.for("@peerpods/cloud-providers/ProviderError") as never;
const retryableCodes: ReadonlySet<ProviderErrorCode> = new Set([
  "throttled",
  "unavailable",
  "timeout",
  "circuit_open",
]);

/**
 * The one error of this domain. SDK errors are converted once, at the SDK boundary.
 *
 * Test for it with {@link isProviderError}: two copies of this package may be loaded, and `instanceof` knows only one.
 */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly code: ProviderErrorCode;
  /** Whether the very same call (same token) may succeed when it is repeated. */
  readonly retryable: boolean;
  readonly left: readonly string[];
  declare readonly retryAfterMs?: number;
  readonly [brand] = true;

  /** @param message what could not be done, and to what; never a secret. */
  constructor(code: ProviderErrorCode, message: string, options: ProviderErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? retryableCodes.has(code);
    this.left = options.left ?? [];
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }

  /**
   * Any thrown value as a ProviderError: one already is returned as it is, an abort becomes `aborted`, a timeout
   * `timeout`, and everything else (a string, an unforeseen SDK error) `internal` with the value as cause.
   */
  static from(thrown: unknown, doing = "provider call failed"): ProviderError {
    if (isProviderError(thrown)) return thrown;
    const name = thrown instanceof Error ? thrown.name : "";
    if (name === "AbortError") return new ProviderError("aborted", `${doing}: aborted`, { cause: thrown });
    if (name === "TimeoutError")
      return new ProviderError("timeout", `${doing}: timed out`, { cause: thrown });
    return new ProviderError("internal", `${doing}: ${describeThrown(thrown)}`, { cause: thrown });
  }
}

/** Whether a thrown value is a {@link ProviderError}, of this or another loaded copy of the package. */
export function isProviderError(thrown: unknown): thrown is ProviderError {
  return typeof thrown === "object" && thrown !== null && (thrown as { [brand]?: unknown })[brand] === true;
}

function describeThrown(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return typeof thrown === "string" ? thrown : `a ${typeof thrown} was thrown`;
}
