/** What the fake cloud's API answers instead of a result, in the words of such APIs. */
export type CloudErrorCode =
  | "AuthFailure"
  | "ConnectionRefused"
  | "ConnectionReset"
  | "IdempotentParameterMismatch"
  | "InsufficientInstanceCapacity"
  | "InternalError"
  | "InvalidParameter"
  | "LimitExceeded"
  | "NotFound"
  | "RequestLimitExceeded"
  | "ResourceInUse";

/** An error of the fake cloud's API or of the connection to it; an "SDK error" that a provider has to convert. */
export class FakeCloudError extends Error {
  override readonly name = "FakeCloudError";
  readonly code: CloudErrorCode;

  constructor(code: CloudErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
