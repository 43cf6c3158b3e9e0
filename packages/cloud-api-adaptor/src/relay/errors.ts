/**
 * Why the relay could not do what was asked.
 *
 * - `invalid_request`: the request itself is wrong; repeating it changes nothing
 * - `conflict`: the sandbox is open with another socket, target or server name
 * - `limit`: the relay holds as many sandboxes as it may
 * - `unreachable`: the forwarder did not answer within the dial timeout
 * - `refused`: the forwarder is there, but the two ends do not trust each other (certificate, name, TLS version)
 * - `closed`: the sandbox was closed, or the relay ended, while the call was under way
 * - `unavailable`: no relay answers on the control socket
 * - `unsupported`: the relay that answers is too old for this call
 */
export type RelayErrorCode =
  | "invalid_request"
  | "conflict"
  | "limit"
  | "unreachable"
  | "refused"
  | "closed"
  | "unavailable"
  | "unsupported";

const RETRYABLE: ReadonlySet<RelayErrorCode> = new Set(["limit", "unreachable", "unavailable"]);

/** An error of the relay or of its control connection. The message names the sandbox, socket or address concerned. */
export class RelayError extends Error {
  override readonly name = "RelayError";
  readonly code: RelayErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(code: RelayErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
    this.retryable = RETRYABLE.has(code);
  }
}

/** The text of any thrown value, in one line. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}
