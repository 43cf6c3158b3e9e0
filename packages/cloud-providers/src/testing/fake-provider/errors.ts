import { ProviderError, type ProviderErrorCode } from "../../errors.ts";
import { FakeCloudError, type CloudErrorCode } from "../fake-cloud/cloud-error.ts";

const codes: Readonly<Record<CloudErrorCode, ProviderErrorCode>> = {
  AuthFailure: "unauthorized",
  ConnectionRefused: "unavailable",
  ConnectionReset: "unavailable",
  IdempotentParameterMismatch: "conflict",
  InsufficientInstanceCapacity: "no_capacity",
  InternalError: "unavailable",
  InvalidParameter: "invalid_request",
  LimitExceeded: "quota_exceeded",
  NotFound: "not_found",
  RequestLimitExceeded: "throttled",
  ResourceInUse: "unavailable",
};

/** The one place where errors of the cloud's API become those of the contract. */
export function toProviderError(thrown: unknown): ProviderError {
  if (!(thrown instanceof FakeCloudError)) return ProviderError.from(thrown);
  return new ProviderError(codes[thrown.code], thrown.message, { cause: thrown });
}
