/**
 * What went wrong with a pod's network.
 *
 * - `invalid_config`: a value that cannot work; the message names it
 * - `unsupported`: a pod network of a kind that peer pods do not carry (IPv6, several addresses, multipath)
 * - `no_namespace`: the network namespace does not exist (any more)
 * - `no_primary_interface`, `no_address`: the machine or pod has no usable network
 * - `vni_in_use`: another tunnel of this machine has the same VXLAN id
 * - `exists`: something of that name is already there and is not ours
 * - `not_found`: something a command needs is not there (any more)
 * - `timeout`: a wait or a command reached its deadline
 * - `tool_missing`: `ip`, `tc`, `nft` or `nsenter` is not installed
 * - `command_failed`: one of them failed for another reason; the message carries what it said
 * - `tear_down_incomplete`: something remains; `errors` says what
 */
export type PodNetworkErrorCode =
  | "invalid_config"
  | "unsupported"
  | "no_namespace"
  | "no_primary_interface"
  | "no_address"
  | "vni_in_use"
  | "exists"
  | "not_found"
  | "timeout"
  | "tool_missing"
  | "command_failed"
  | "tear_down_incomplete";

interface PodNetworkErrorOptions {
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** The one error type of this package. Aborts are not wrapped: they reject with the signal's reason. */
export class PodNetworkError extends Error {
  override readonly name = "PodNetworkError";
  readonly code: PodNetworkErrorCode;
  /** Further failures: of the undoing after a failed set-up, or all of a tear-down. */
  readonly errors: readonly unknown[];

  constructor(code: PodNetworkErrorCode, message: string, options: PodNetworkErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.errors = options.errors ?? [];
  }
}

/** Whether the error is a {@link PodNetworkError} with one of the codes. */
export function isPodNetworkError(error: unknown, ...codes: readonly PodNetworkErrorCode[]): boolean {
  return error instanceof PodNetworkError && (codes.length === 0 || codes.includes(error.code));
}
