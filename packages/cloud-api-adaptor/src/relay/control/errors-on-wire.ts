import { Code, ConnectError } from "@connectrpc/connect";
import { RelayError } from "../errors.ts";
import type { RelayErrorCode } from "../errors.ts";

/** One status per error code, so that the caller's side gets the same error back. */
const CODES: Readonly<Record<RelayErrorCode, Code>> = {
  invalid_request: Code.InvalidArgument,
  conflict: Code.AlreadyExists,
  limit: Code.ResourceExhausted,
  unreachable: Code.DeadlineExceeded,
  refused: Code.FailedPrecondition,
  closed: Code.Aborted,
  unavailable: Code.Unavailable,
  unsupported: Code.Unimplemented,
};

/** What a caller is told. Errors that are no `RelayError` keep their status, or become UNKNOWN. */
export function toConnectError(error: unknown): ConnectError {
  if (!(error instanceof RelayError)) return ConnectError.from(error);
  return new ConnectError(error.message, CODES[error.code], undefined, undefined, error);
}

/** The error behind a status of the relay; undefined for a status that no {@link RelayError} stands for. */
export function fromConnectError(error: ConnectError): RelayError | undefined {
  const code = (Object.keys(CODES) as RelayErrorCode[]).find((candidate) => CODES[candidate] === error.code);
  return code === undefined ? undefined : new RelayError(code, error.rawMessage, { cause: error });
}
