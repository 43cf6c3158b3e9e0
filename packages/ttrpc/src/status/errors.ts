import { Code, ConnectError } from "@connectrpc/connect";
import { toBinary, create } from "@bufbuild/protobuf";
import type { AnyMessage, Status } from "../wire/response.ts";

const TYPE_URL_PREFIX = "type.googleapis.com/";

/** Why a connection can carry no more calls; the `cause` of every error that {@link isTtrpcClosed} recognises. */
class ConnectionClosedError extends Error {
  override readonly name = "ConnectionClosedError";
  readonly code = "ERR_TTRPC_CLOSED";
}

/**
 * The failure of a call whose connection is gone: UNAVAILABLE with the text `ttrpc: closed` that the Go client gives,
 * on which callers match.
 */
export function closedError(cause?: Error): ConnectError {
  const reason = new ConnectionClosedError(cause?.message ?? "the connection was closed", { cause });
  return new ConnectError("ttrpc: closed", Code.Unavailable, undefined, undefined, reason);
}

/**
 * Whether a call failed because its own connection was closed, before or during the call. A status that the peer sent,
 * even one with the same text, is not meant: that call was answered.
 */
export function isTtrpcClosed(error: unknown): error is ConnectError {
  if (!(error instanceof ConnectError) || error.code !== Code.Unavailable) return false;
  const { cause } = error;
  return cause instanceof Error && "code" in cause && cause.code === "ERR_TTRPC_CLOSED";
}

/** The deadline of a call is over, in the words of the Go client and server. */
export function deadlineError(): ConnectError {
  return new ConnectError("context deadline exceeded", Code.DeadlineExceeded);
}

/** A caller gave up, in the words of the Go implementation. */
export function canceledError(cause?: unknown): ConnectError {
  return new ConnectError("context canceled", Code.Canceled, undefined, undefined, cause);
}

/** What an aborted call fails with: the reason itself if it is a `ConnectError`, else CANCELLED or DEADLINE_EXCEEDED. */
export function abortError(signal: AbortSignal): ConnectError {
  const reason: unknown = signal.reason;
  if (reason instanceof ConnectError) return reason;
  if (reason instanceof Error && reason.name === "TimeoutError") return deadlineError();
  return canceledError(reason);
}

/**
 * An error with exactly this status: `createTtrpcServer` sends its code, message and details byte for byte, and a
 * client's call that the peer answered with a status fails with one. A code outside of `Code` is kept as it is.
 */
export function errorFromStatus(status: Status): ConnectError {
  // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- numbers that Connect does not know are kept
  const error = new ConnectError(status.message, status.code);
  error.details = (status.details ?? []).map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value: new Uint8Array(value),
  }));
  return error;
}

/**
 * The status that stands for whatever a handler threw. `ConnectError`: its code, raw message and details. An aborted
 * wait: CANCELLED. Any other error: UNKNOWN with its message, as ttrpc servers do.
 */
export function statusFromError(reason: unknown): Status {
  const error = ConnectError.from(reason);
  return { code: error.code, message: error.rawMessage, details: error.details.map(anyFromDetail) };
}

function anyFromDetail(detail: ConnectError["details"][number]): AnyMessage {
  return "desc" in detail
    ? {
        typeUrl: TYPE_URL_PREFIX + detail.desc.typeName,
        value: toBinary(detail.desc, create(detail.desc, detail.value)),
      }
    : { typeUrl: TYPE_URL_PREFIX + detail.type, value: detail.value };
}
