import { describe, expect, it } from "vitest";
import { checkSandboxId, maxSandboxIdLength } from "./sandbox-id.ts";

const podsDir = "/run/peerpod/pods";
const longest = maxSandboxIdLength(podsDir);

describe("checkSandboxId", () => {
  it.each(["0f1e2d3c".repeat(8), "a", "peerpods-run-1", "A_b.c-9", "x".repeat(longest)])(
    "accepts %s",
    (id) => {
      expect(() => checkSandboxId(id, podsDir)).not.toThrow();
      expect(Buffer.byteLength(`${podsDir}/${id}/agent.ttrpc`)).toBeLessThanOrEqual(107);
    },
  );

  it.each([
    "",
    ".",
    "..",
    "../../evil",
    "a/b",
    "/etc",
    "a..b",
    "-flag",
    ".hidden",
    "a b",
    "a:b",
    "a\0b",
    "a\nb",
    "ä",
    "x".repeat(longest + 1),
    "x".repeat(200),
  ])("refuses %j", (id) => {
    expect(() => checkSandboxId(id, podsDir)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });

  it("does not repeat an endless id", () => {
    expect(() => checkSandboxId("/".repeat(100_000), podsDir)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{0,400}$/) }),
    );
  });
});
