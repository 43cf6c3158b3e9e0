import { describe, expect, it } from "vitest";
import { createRedaction, redactJson } from "./redact.ts";

const redact = createRedaction(["s3cr3t-of-an-option"]);

describe("redaction", () => {
  it.each([
    ["an option's value s3cr3t-of-an-option here", "an option's value ********** here"],
    ["https://user:hunter22@registry.example/x", "https://user:**********@registry.example/x"],
    ["Authorization: Bearer eyJhbGciOi.J9abc", "Authorization: Bearer **********"],
    ['{"password":"hunter22","a":1}', '{"password":"**********","a":1}'],
    ['{"msg":"{\\"secretKey\\":\\"hunter22\\"}"}', '{"msg":"{\\"secretKey\\":\\"**********\\"}"}'],
    ["AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=**********"],
    ["api-key: abcdefgh", "api-key: **********"],
  ])("hides the secret in %s", (text, hidden) => {
    expect(redact(text)).toBe(hidden);
  });

  it("hides private keys, also cut off", () => {
    const key = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----";
    expect(redact(`a ${key} b`)).toBe("a ********** b");
    expect(redact("a -----BEGIN EC PRIVATE KEY-----\nMHcC")).toBe("a **********");
  });

  it("leaves what is needed to find a fault", () => {
    const text = 'token 0f1e-1, http://10.0.0.1:15150/x, {"secret":false}, keys: 3, "phase":"running"';
    expect(redact(text)).toBe(text);
  });
});

describe("journal entries", () => {
  it("are shown without policy texts and annotations", () => {
    const text = redactJson(
      JSON.stringify({ record: { podName: "web", initdata: "policy canary", userData: "canary" } }),
    );
    expect(JSON.parse(text)).toEqual({
      record: { podName: "web", initdata: "(15 characters)", userData: "(8 characters)" },
    });
  });

  it("that are no JSON are not shown at all", () => {
    expect(redactJson("{canary")).toBe("(7 characters that are no JSON)");
  });
});
