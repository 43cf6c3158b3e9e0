import { expect, it } from "vitest";
import { ibmcloudCodeOf, toProviderError } from "./errors.ts";

/** As the SDK throws it for an answer of a service. */
function refusal(status: number, result: object, headers: Readonly<Record<string, string>> = {}): Error {
  return Object.assign(new Error("the SDK's own sentence"), {
    status,
    result,
    headers: new Map(Object.entries(headers)),
  });
}

const vpc = (code: string, message = "no") => ({ errors: [{ code, message }], trace: "t" });

it.each([
  [
    "a key that IAM does not know",
    refusal(400, { errorCode: "BXNIM0415E", errorMessage: "Provided API key could not be found." }),
    "unauthorized",
  ],
  ["a token that has run out", refusal(401, vpc("not_authenticated")), "unauthorized"],
  ["a missing role", refusal(403, vpc("not_authorized")), "unauthorized"],
  ["a missing role for tags", refusal(401, vpc("GST605E")), "unauthorized"],
  ["a full account", refusal(400, vpc("over_quota")), "quota_exceeded"],
  ["a full zone", refusal(409, vpc("cannot_start_capacity")), "no_capacity"],
  ["a full subnet", refusal(400, vpc("insufficient_addresses")), "no_capacity"],
  ["something that is not there", refusal(404, vpc("image_not_found")), "not_found"],
  ["a code nobody knows, by its status", refusal(404, vpc("who_knows")), "not_found"],
  ["too many calls", refusal(429, vpc("anything")), "throttled"],
  ["something in the middle of something else", refusal(409, vpc("instance_in_transition")), "unavailable"],
  ["a broken service", refusal(503, {}), "unavailable"],
  ["a wrong field", refusal(400, vpc("bad_field")), "invalid_request"],
  ["a name that is taken", refusal(400, vpc("validation_unique_failed")), "invalid_request"],
  [
    "a broken connection",
    Object.assign(new Error("socket hang up"), { statusText: "ECONNRESET" }),
    "unavailable",
  ],
  [
    "a host that nobody knows",
    Object.assign(new Error("getaddrinfo"), { statusText: "ENOTFOUND" }),
    "unavailable",
  ],
  [
    "an unknown authority",
    Object.assign(new Error("self-signed"), { statusText: "DEPTH_ZERO_SELF_SIGNED_CERT" }),
    "invalid_config",
  ],
  ["an abort", Object.assign(new Error("canceled"), { code: "ERR_CANCELED" }), "aborted"],
  ["a token file that is not there", new Error("Error reading CR token file: ENOENT"), "unauthorized"],
  ["a string", "text", "internal"],
])("%s", (_what, thrown, code) => {
  expect(toProviderError(thrown, { operation: "create_instance" }).code).toBe(code);
});

it("says IBM Cloud's own words, the missing role, and no secret", () => {
  const error = toProviderError(refusal(403, vpc("not_authorized", "token my-secret-key may not")), {
    operation: "create_instance",
    secrets: ["my-secret-key"],
  });
  expect(error.message).toBe(
    "create_instance: not_authorized: token ********** may not (the identity needs the role Editor, with a second interface also IP Spoofing Operator)",
  );
  expect(ibmcloudCodeOf(error)).toBe("not_authorized");
});

it("waits as long as IBM Cloud asks, five minutes at most", () => {
  const after = (seconds: string) =>
    toProviderError(refusal(429, vpc("x"), { "retry-after": seconds }), { operation: "get_instance" })
      .retryAfterMs;
  expect([after("7"), after("86400"), after("soon")]).toEqual([7_000, 300_000, undefined]);
});
