import type { FaultKind } from "@peerpods/test-harness";

/** A refusal of one of the APIs, in the form that the VPC and the tagging API give it. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  get body(): object {
    return {
      errors: [{ code: this.code, message: this.message, more_info: "https://cloud.ibm.com/docs/vpc" }],
      trace: "0f1e2d3c-stand-in",
    };
  }
}

/** What an injected fault answers with; `undefined` for one that answers nothing. */
export function refusalOf(kind: FaultKind): ApiError | undefined {
  if (kind === "throttle")
    return new ApiError(429, "too_many_requests", "too many requests, try again later");
  if (kind === "server_error") return new ApiError(500, "internal_error", "an internal error has occurred");
  if (typeof kind === "object") return new ApiError(kind.status, kind.code, "injected");
  return undefined;
}
