import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { codeOfName, ec2CodeOf, isGone, toProviderError } from "./errors.ts";

/** An error as the SDK throws it. */
function sdkError(name: string, extra: object = {}): Error {
  return Object.assign(new Error(`${name} happened`), { name, ...extra });
}

const convert = (thrown: unknown) => toProviderError(thrown, { operation: "RunInstances" });

describe("EC2's errors", () => {
  it.each([
    ["RequestLimitExceeded", "throttled", true],
    ["Throttling", "throttled", true],
    ["InsufficientInstanceCapacity", "no_capacity", false],
    ["InsufficientFreeAddressesInSubnet", "no_capacity", false],
    ["Unsupported", "no_capacity", false],
    ["VcpuLimitExceeded", "quota_exceeded", false],
    ["InstanceLimitExceeded", "quota_exceeded", false],
    ["AddressLimitExceeded", "quota_exceeded", false],
    ["MaxSpotInstanceCountExceeded", "quota_exceeded", false],
    ["AuthFailure", "unauthorized", false],
    ["UnauthorizedOperation", "unauthorized", false],
    ["ExpiredToken", "unauthorized", false],
    ["RequestExpired", "unauthorized", false],
    ["CredentialsProviderError", "unauthorized", false],
    ["InvalidAMIID.NotFound", "not_found", false],
    ["InvalidSubnetID.NotFound", "not_found", false],
    ["InvalidLaunchTemplateName.NotFoundException", "not_found", false],
    ["InvalidParameterValue", "invalid_request", false],
    ["InvalidAMIID.Malformed", "invalid_request", false],
    ["TagLimitExceeded", "invalid_request", false],
    ["AttachmentLimitExceeded", "invalid_request", false],
    ["IdempotentParameterMismatch", "conflict", false],
    ["InternalError", "unavailable", true],
    ["IncorrectInstanceState", "unavailable", true],
    ["TimeoutError", "unavailable", true],
    ["WhoKnows", "internal", false],
  ] as const)("%s is %s, to be repeated: %s", (name, code, retryable) => {
    expect(convert(sdkError(name))).toMatchObject({ code, retryable });
  });

  it.each([
    [{ code: "ECONNRESET" }, "unavailable"],
    [{ code: "ENOTFOUND" }, "unavailable"],
    [{ code: "SELF_SIGNED_CERT_IN_CHAIN" }, "invalid_config"],
    [{ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" }, "invalid_config"],
    [{ $metadata: { httpStatusCode: 502 } }, "unavailable"],
    [{ $metadata: { httpStatusCode: 429 } }, "throttled"],
    [{ $response: { statusCode: 500 } }, "unavailable"],
    [{ $metadata: { httpStatusCode: 400 } }, "internal"],
  ])("the way to it: %j is %s", (extra, code) => {
    expect(convert(sdkError("Error", extra))).toMatchObject({ code });
  });

  it("keep what EC2 asks to wait, at most five minutes", () => {
    const after = (seconds: string) =>
      convert(sdkError("Throttling", { $response: { headers: { "retry-after": seconds } } })).retryAfterMs;
    expect([after("2"), after("86400"), after("x")]).toEqual([2_000, 300_000, undefined]);
  });

  it("leave ProviderErrors and aborts what they are", () => {
    const once = convert(sdkError("AuthFailure"));
    expect(convert(once)).toBe(once);
    expect(convert(sdkError("AbortError")).code).toBe("aborted");
    expect(convert("a string").code).toBe("internal");
  });

  it("carry EC2's code and request id, and nothing of the request", () => {
    const error = convert(
      sdkError("InvalidVolume.NotFound", {
        $metadata: { httpStatusCode: 400, requestId: "req-1" },
        $response: { body: "USERDATA" },
        input: { UserData: "USERDATA" },
      }),
    );
    expect(ec2CodeOf(error)).toBe("InvalidVolume.NotFound");
    expect(error.cause).toMatchObject({ requestId: "req-1", httpStatus: 400 });
    expect(isGone(error)).toBe(true);
    expect(inspect(error, { depth: 9 })).not.toContain("USERDATA");
  });

  it("hide secrets and the encoded part", () => {
    const thrown = sdkError("UnauthorizedOperation");
    thrown.message = "You are not authorized, key hunter2! Encoded authorization failure message: AbCdEf";
    const error = toProviderError(thrown, { operation: "RunInstances", secrets: ["hunter2!"] });
    const shown = inspect(error, { depth: 9 });
    expect(shown).toContain("not authorized");
    expect(shown).not.toContain("hunter2!");
    expect(shown).not.toContain("AbCdEf");
  });

  it("know the reasons for which an instance ends while it starts", () => {
    expect(codeOfName("InsufficientInstanceCapacity")).toBe("no_capacity");
    expect(codeOfName("VolumeLimitExceeded")).toBe("quota_exceeded");
    expect(codeOfName("UserInitiatedShutdown")).toBeUndefined();
  });
});
