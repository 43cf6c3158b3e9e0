import { expect, it } from "vitest";
import { createScrubber } from "./scrub.ts";

const key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----";

it.each([
  ["as it is", "Bearer s3cr3t-value!", "Bearer **********!"],
  ["in a URL twice", "s3cr3t-value@s3cr3t-value", "**********@**********"],
  ["inside JSON, escaped", JSON.stringify({ a: 'with"quote' }), '{"a":"**********"}'],
  ["a private key", `x ${key} y`, "x ********** y"],
  ["a private key inside JSON", JSON.stringify({ key }), '{"key":"**********"}'],
  ["a private key that was cut off", key.slice(0, 40), "**********"],
  ["the longer of two", "s3cr3t-value-and-more", "**********"],
  ["nothing", "plain text", "plain text"],
])("hides a secret: %s", (_what, text, shown) => {
  const scrub = createScrubber(["s3cr3t-value", 'with"quote', "s3cr3t-value-and-more"]);
  expect(scrub(text)).toBe(shown);
});

it("does not hide words that happen to be short secrets", () => {
  expect(createScrubber(["", "a", "true"])("a true story")).toBe("a true story");
});
