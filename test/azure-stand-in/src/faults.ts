import type { FaultKind } from "@peerpods/test-harness";
import { ArmError } from "./arm-error.ts";

/**
 * The refusal that a fault consists of, if it is one. Throttled, with the headers that Compute sends: how long to wait, and
 * what is left of the budget of the resource.
 */
export function refusalOf(kind: FaultKind): ArmError | undefined {
  if (kind === "throttle")
    return new ArmError(
      429,
      "OperationNotAllowed",
      "The server rejected the request because too many requests have been received.",
    ).with({
      "retry-after": "7",
      "x-ms-ratelimit-remaining-resource": "Microsoft.Compute/PutVM3Min;0,Microsoft.Compute/PutVM30Min;1150",
      "x-ms-ratelimit-remaining-subscription-writes": "1023",
    });
  if (kind === "server_error")
    return new ArmError(500, "InternalServerError", "An internal error has occurred");
  return typeof kind === "string" ? undefined : new ArmError(kind.status, kind.code, "injected");
}
