import type { FaultKind } from "@peerpods/test-harness";
import { Ec2Error } from "./ec2-error.ts";

/** The refusal that a fault consists of, if it is one. */
export function refusalOf(kind: FaultKind): Ec2Error | undefined {
  if (kind === "throttle") return new Ec2Error("RequestLimitExceeded", "Request limit exceeded.", 503);
  if (kind === "server_error") return new Ec2Error("InternalError", "An internal error has occurred", 500);
  return typeof kind === "string" ? undefined : new Ec2Error(kind.code, "injected", kind.status);
}
