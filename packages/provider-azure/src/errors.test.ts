import { ProviderError } from "@peerpods/cloud-providers";
import { describe, expect, it } from "vitest";
import { readAnswer, readRefusal } from "./answer.ts";
import { armCodeOf, isInUse, refusalError, toProviderError } from "./errors.ts";

const refusal = (status: number, code: string, message = "why") =>
  refusalError({ status, code, message }, { operation: "PutMachine" });

describe("a refusal of ARM", () => {
  it.each<[number, string, string, string]>([
    [429, "OperationNotAllowed", "too many requests", "throttled"],
    [409, "OperationNotAllowed", "exceeding approved standardDCASv5Family Cores quota", "quota_exceeded"],
    [409, "OperationNotAllowed", "the disk is attached", "invalid_request"],
    [409, "SkuNotAvailable", "", "no_capacity"],
    [0, "ZonalAllocationFailed", "", "no_capacity"],
    [0, "OverconstrainedAllocationRequest", "", "no_capacity"],
    [400, "SubnetIsFull", "", "quota_exceeded"],
    [400, "PublicIPCountLimitReached", "", "quota_exceeded"],
    [403, "AuthorizationFailed", "", "unauthorized"],
    [401, "ExpiredAuthenticationToken", "", "unauthorized"],
    [404, "SubscriptionNotFound", "", "invalid_config"],
    [404, "ResourceGroupNotFound", "", "invalid_config"],
    [404, "ResourceNotFound", "", "not_found"],
    [404, "SomethingNewNotFound", "", "not_found"],
    [400, "InvalidResourceReference", "", "not_found"],
    [400, "InvalidParameter", "", "invalid_request"],
    [412, "PreconditionFailed", "", "conflict"],
    [400, "NicInUse", "", "conflict"],
    [409, "Conflict", "", "unavailable"],
    [503, "ServerTimeout", "", "unavailable"],
    [0, "OperationPreempted", "", "unavailable"],
    [0, "Unforeseen", "", "internal"],
  ])("%i %s (%s) is %s", (status, code, message, expected) => {
    expect(refusal(status, code, message)).toMatchObject({ code: expected });
    expect(armCodeOf(refusal(status, code, message))).toBe(code);
  });

  it("says whether a thing is only still in use", () => {
    for (const code of ["NicInUse", "NicReservedForAnotherVm", "PublicIPAddressCannotBeDeleted"])
      expect(isInUse(refusal(400, code))).toBe(true);
    expect(isInUse(refusal(403, "AuthorizationFailed"))).toBe(false);
  });

  it("is read with the code that says most, its wait and its request id", () => {
    const text = JSON.stringify({
      error: {
        code: "BadRequest",
        message: "outer",
        details: [{ code: "InvalidParameter", message: "inner" }],
      },
    });
    const headers: Readonly<Record<string, string>> = { "retry-after": "17", "x-ms-request-id": "r-1" };
    expect(readRefusal({ status: 400, text, header: (name) => headers[name] })).toEqual({
      status: 400,
      code: "InvalidParameter",
      message: "inner",
      requestId: "r-1",
      retryAfterMs: 17_000,
    });
  });

  it.each(["", "<html>", "null", "[]", '{"error":null}', '{"error":{"details":{}}}'])(
    "that is no error of ARM (%j) is one all the same",
    (text) => {
      const raw = { status: 502, text, header: () => undefined };
      expect(refusalError(readRefusal(raw), { operation: "GetMachine" })).toMatchObject({
        code: "unavailable",
      });
      expect(readAnswer(raw).body).toBeDefined();
    },
  );
});

describe("what the SDK throws", () => {
  const named = (name: string, message: string, more: object = {}) =>
    Object.assign(new Error(message), { name, ...more });

  it.each<[string, Error, string]>([
    ["a reset", named("RestError", "socket", { code: "ECONNRESET" }), "unavailable"],
    [
      "a wrapped one",
      named("RestError", "x", {
        code: "REQUEST_SEND_ERROR",
        cause: named("Error", "y", { code: "ENOTFOUND" }),
      }),
      "unavailable",
    ],
    ["a certificate", named("RestError", "x", { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }), "invalid_config"],
    ["a refused sign-in", named("AuthenticationRequiredError", "invalid_client"), "unauthorized"],
    ["a sign-in that fails", named("AuthenticationError", "x", { statusCode: 503 }), "unavailable"],
    ["no token file", named("Error", "x", { code: "ENOENT" }), "unauthorized"],
    ["an abort", named("AbortError", "x"), "aborted"],
    ["a time that is over", named("TimeoutError", "x"), "unavailable"],
    ["something unforeseen", named("TypeError", "x"), "internal"],
  ])("%s is %s", (_what, thrown, code) => {
    expect(toProviderError(thrown, { operation: "GetMachine" })).toMatchObject({ code });
  });

  it("never shows a secret, and stays what it is when it is ours", () => {
    const secrets = ["s3cr3t~value"];
    const shown = toProviderError(named("RestError", "with s3cr3t~value"), { operation: "x", secrets });
    expect(`${shown.message} ${String(shown.cause)}`).not.toContain("s3cr3t");
    const own = new ProviderError("conflict", "mine");
    expect(toProviderError(own, { operation: "x" })).toBe(own);
  });
});
