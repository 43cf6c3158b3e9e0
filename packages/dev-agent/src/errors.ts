import { Code, ConnectError } from "@connectrpc/connect";

/** Errors as the shim gets them: the code and the bare message go over the wire. */

export function invalidArgument(message: string, cause?: unknown): ConnectError {
  return new ConnectError(message, Code.InvalidArgument, undefined, undefined, cause);
}

export function notFound(message: string): ConnectError {
  return new ConnectError(message, Code.NotFound);
}

export function alreadyExists(message: string): ConnectError {
  return new ConnectError(message, Code.AlreadyExists);
}

export function failedPrecondition(message: string): ConnectError {
  return new ConnectError(message, Code.FailedPrecondition);
}

export function internal(message: string, cause?: unknown): ConnectError {
  return new ConnectError(message, Code.Internal, undefined, undefined, cause);
}

export function unavailable(message: string): ConnectError {
  return new ConnectError(message, Code.Unavailable);
}

export function unimplemented(message: string): ConnectError {
  return new ConnectError(message, Code.Unimplemented);
}

/** What the agent answers for a process that it does not know, or whose exit was already fetched. */
export function invalidExecId(): ConnectError {
  return notFound("InvalidExecId");
}

export function unknownContainer(id: string): ConnectError {
  return invalidArgument(`container "${id}" does not exist`);
}

/** The last line of an error for a person; of aborts, their reason. */
export function messageOf(error: unknown): string {
  if (error instanceof ConnectError) return error.rawMessage;
  return error instanceof Error ? error.message : String(error);
}
