/** What went wrong, as far as the caller can act on it. */
export type ProviderErrorCode =
  /** The request itself cannot be carried out by this provider: an empty id, a type that is not allowed, user data too large. */
  | "invalid_request"
  /** The provider's options are wrong. The message has one line per option. */
  | "invalid_config"
  /** The provider was built for another major version of the contract. */
  | "unsupported_contract"
  /** Credentials are missing, wrong or expired, or a permission is missing. */
  | "unauthorized"
  /** An image, network, group or another thing that the request names does not exist. */
  | "not_found"
  /** The cloud has no machine of this type in this zone now. Another placement may work. */
  | "no_capacity"
  /** A limit of the account is reached. */
  | "quota_exceeded"
  /** Too many calls. Safe to repeat later. */
  | "throttled"
  /** The cloud or the way to it failed. Whether the act happened is unknown; the token makes a repetition safe. */
  | "unavailable"
  /** Calls are not made for a while because too many failed; the message says which and since when. */
  | "circuit_open"
  /** The token was used with other parameters, or the thing is in a state that forbids the act. */
  | "conflict"
  /** The deadline of the call passed. */
  | "timeout"
  /** The caller gave up. */
  | "aborted"
  /** Everything else: a bug, or an answer that cannot be understood. */
  | "internal";

/** A resource that a failed call could not remove. */
export interface LeftResource {
  /** The cloud's word for its kind, e.g. `network-interface`. */
  readonly kind: string;
  readonly id: string;
}

export interface ProviderErrorOptions {
  readonly cause?: unknown;
  /** Whether the same call may succeed later. Default: by code (`throttled`, `unavailable`, `circuit_open`, `timeout`). */
  readonly retryable?: boolean;
  /** What could not be undone. Default: nothing. */
  readonly left?: readonly LeftResource[];
}

const brand = Symbol.for("@peerpods/cloud-providers/ProviderError/1");
const repeatable: ReadonlySet<ProviderErrorCode> = new Set([
  "throttled",
  "unavailable",
  "circuit_open",
  "timeout",
]);

/** The one error of the contract. Recognise it with {@link isProviderError}: two copies of this package may be loaded. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly code: ProviderErrorCode;
  readonly retryable: boolean;
  readonly left: readonly LeftResource[];

  constructor(code: ProviderErrorCode, message: string, options: ProviderErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? repeatable.has(code);
    this.left = options.left ?? [];
    Object.defineProperty(this, brand, { value: true });
  }

  /**
   * Turns whatever was thrown into a ProviderError: one stays as it is, an abort becomes `aborted` or `timeout` by its
   * reason, everything else `internal` with the original as cause.
   */
  static from(error: unknown): ProviderError {
    if (isProviderError(error)) return error;
    if (error instanceof Error) {
      if (error.name === "TimeoutError") return new ProviderError("timeout", error.message, { cause: error });
      if (error.name === "AbortError") return new ProviderError("aborted", error.message, { cause: error });
      return new ProviderError("internal", error.message, { cause: error });
    }
    return new ProviderError("internal", `something that is no error was thrown: ${String(error)}`, {
      cause: error,
    });
  }
}

/** Whether this is a ProviderError, also one of another copy of this package. */
export function isProviderError(error: unknown): error is ProviderError {
  return typeof error === "object" && error !== null && brand in error;
}
