import { assert, constantFrom, jsonValue, oneof, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { innermost, readAnswer, readRefusal, type ArmErrorBody } from "./answer.ts";

const header = (name: string) => (name === "retry-after" ? "-1" : undefined);

describe("what ARM answers", () => {
  it("is read whatever it is, and never trusted to be what it should", () => {
    const body = oneof(
      string(),
      jsonValue().map((value) => JSON.stringify(value)),
      jsonValue().map((error) => JSON.stringify({ error })),
      jsonValue().map((details) => JSON.stringify({ error: { code: "BadRequest", details } })),
    );
    assert(
      property(body, constantFrom(200, 400, 503), (text, status) => {
        const refusal = readRefusal({ status, text, header });
        expect(typeof refusal.code).toBe("string");
        expect(refusal.code).not.toBe("");
        expect(typeof refusal.message).toBe("string");
        expect(refusal.retryAfterMs).toBeUndefined();
        expect(readAnswer({ status, text, header }).status).toBe(status);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is looked through only so deep for what has failed", () => {
    let error: ArmErrorBody = { code: "TheReason", message: "deep" };
    for (let depth = 0; depth < 10_000; depth++) error = { code: "Conflict", message: "", details: [error] };
    expect(innermost(error)).toEqual({ code: "Conflict", message: "" });
  });

  it("names the wait in seconds, at most five minutes, and the address of the operation", () => {
    const headers: Readonly<Record<string, string>> = { "retry-after": "9999", location: "https://arm/x" };
    expect(readAnswer({ status: 202, text: "", header: (name) => headers[name] })).toEqual({
      status: 202,
      body: {},
      operation: "https://arm/x",
      retryAfterMs: 300_000,
    });
  });
});
