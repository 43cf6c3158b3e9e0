import { expect, it, vi } from "vitest";
import { isProviderError, ProviderError } from "./errors.ts";

it.each([
  ["throttled", true],
  ["unavailable", true],
  ["timeout", true],
  ["circuit_open", true],
  ["no_capacity", false],
  ["aborted", false],
  ["internal", false],
] as const)("%s is retryable: %s", (code, retryable) => {
  expect(new ProviderError(code, "x").retryable).toBe(retryable);
});

it("says what it is told rather than what the code suggests", () => {
  const cause = new Error("why");
  const error = new ProviderError("conflict", "x", {
    cause,
    retryable: true,
    left: ["eni-1"],
    retryAfterMs: 50,
  });
  expect(error).toMatchObject({ retryable: true, left: ["eni-1"], retryAfterMs: 50 });
  expect(error.cause).toBe(cause);
});

it("recognises the error of another copy of this package", async () => {
  vi.resetModules();
  const copy = await import("./errors.ts");
  const foreign = new copy.ProviderError("throttled", "slow down");
  expect(foreign).not.toBeInstanceOf(ProviderError);
  expect(isProviderError(foreign)).toBe(true);
  expect(ProviderError.from(foreign)).toBe(foreign);
});

it.each([
  ["an abort", new DOMException("gone", "AbortError"), "aborted"],
  ["a timeout", new DOMException("late", "TimeoutError"), "timeout"],
  ["another error", new RangeError("odd"), "internal"],
  ["a string", "just text", "internal"],
  ["nothing", undefined, "internal"],
  ["an object that only looks like one", { code: "throttled", name: "ProviderError" }, "internal"],
])("makes a ProviderError of %s", (_what, thrown, code) => {
  expect(isProviderError(thrown)).toBe(false);
  const error = ProviderError.from(thrown, "cannot create");
  expect(error.code).toBe(code);
  expect(error.cause).toBe(thrown);
  expect(error.message).toMatch(/^cannot create: /);
});
