import { Code, ConnectError } from "@connectrpc/connect";
import { isProviderError } from "@peerpods/cloud-providers";
import { explain, SandboxError } from "../sandbox/errors.ts";

/**
 * What a caller on the hypervisor socket is told: a status code and one line that names the cause. The shim shows the
 * line to the user as the reason why a pod does not start.
 */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  return new ConnectError(explain(error), codeOf(error), undefined, undefined, error);
}

function codeOf(error: unknown): Code {
  if (!(error instanceof SandboxError)) return Code.Unknown;
  switch (error.code) {
    case "invalid_request":
      return Code.InvalidArgument;
    case "already_exists":
      return Code.AlreadyExists;
    case "not_found":
      return Code.NotFound;
    case "limit_reached":
      return Code.ResourceExhausted;
    case "conflict":
    case "network":
      return Code.FailedPrecondition;
    case "aborted":
      return Code.Aborted;
    case "journal":
      return Code.Internal;
    case "start_failed":
      return isExhausted(error.cause) ? Code.ResourceExhausted : Code.Unknown;
    default:
      return error.code satisfies never;
  }
}

function isExhausted(cause: unknown): boolean {
  return isProviderError(cause) && (cause.code === "no_capacity" || cause.code === "quota_exceeded");
}
