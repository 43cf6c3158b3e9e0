import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_USER_DATA_BYTES, parseCloudConfig } from "./cloud-config.ts";
import { UserDataError } from "./errors.ts";

const parse = (text: string) => parseCloudConfig(Buffer.from(text));

describe("documents as the daemon writes them", () => {
  it("reads literal blocks, and files without content", () => {
    const text = `#cloud-config

write_files:
  - path: /run/peerpod/apf.json
    content: |
      {
          "pod-name": "p"
      }
  - path: /run/peerpod/scratch-space.marker
`;
    expect(parse(text)).toEqual([
      { path: "/run/peerpod/apf.json", content: '{\n    "pod-name": "p"\n}\n' },
      { path: "/run/peerpod/scratch-space.marker", content: "" },
    ]);
  });

  it.each([
    ["an empty document", ""],
    ["a comment alone", "#cloud-config\n"],
    ["no files", "write_files: []"],
    ["an empty list", "write_files:\n"],
  ])("accepts %s", (_what, text) => {
    expect(parse(text)).toEqual([]);
  });

  it("keeps what looks like a number or a boolean as text", () => {
    expect(parse("write_files:\n- path: /a\n  content: 0x10\n- path: /b\n  content: no")).toEqual([
      { path: "/a", content: "0x10" },
      { path: "/b", content: "no" },
    ]);
  });

  it("lets the last entry of a path count", () => {
    expect(parse("write_files:\n- path: /a\n  content: x\n- path: /a\n  content: y")).toEqual([
      { path: "/a", content: "y" },
    ]);
  });
});

describe("what is refused", () => {
  it.each([
    ["another key at the top", "runcmd: [x]", /runcmd/],
    ["another key of a file", "write_files:\n- path: /a\n  owner: root", /owner/],
    ["permissions of a file", "write_files:\n- path: /a\n  permissions: '0777'", /permissions/],
    ["a key given twice", "write_files: []\nwrite_files: []", /DUPLICATE_KEY/],
    ["a second document", "write_files: []\n---\nwrite_files: []", /MULTIPLE_DOCS/],
    ["an alias", "write_files:\n- &a {path: /a}\n- *a", /aliases/],
    ["a tag", "write_files: !!python/object []", /TAG_RESOLVE_FAILED/],
    ["a file without path", "write_files:\n- content: x", /path/],
    ["an empty path", "write_files:\n- path: ''", /path/],
    ["text", "hello", /expected|Invalid/],
    ["a list", "- a", /expected|Invalid/],
    ["broken YAML", "write_files: [", /BAD_INDENT/],
    ["depth beyond reason", "a: " + "[".repeat(200_000), /RESOURCE_EXHAUSTION/],
    ["too many files", `write_files:\n${"- {path: /a}\n".repeat(100)}`, /64/],
  ])("refuses %s", (_what, text, message) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "invalid_user_data" }) as Error);
    expect(() => parse(text)).toThrow(message);
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(() => parseCloudConfig(Buffer.from([0x61, 0xff]))).toThrow(/UTF-8/);
  });

  it("refuses a document above the limit before it is parsed", () => {
    const bytes = Buffer.alloc(MAX_USER_DATA_BYTES + 1, "[");
    expect(() => parseCloudConfig(bytes)).toThrow(expect.objectContaining({ code: "too_large" }) as Error);
  });

  it("never quotes what a file contains", () => {
    for (const text of [
      "write_files:\n- path: /a\n  content: [CANARY]",
      "write_files:\n- path: /a\n  content: CANARY\n  content: CANARY",
      "write_files:\n- path: /a\n  content: {CANARY",
    ]) {
      expect(() => parse(text)).toThrow(UserDataError);
      expect(() => parse(text)).not.toThrow(/CANARY/);
    }
  });
});

describe("anything at all", () => {
  const pieces = fc.constantFrom(
    "write_files",
    ":",
    "-",
    " ",
    "\n",
    "  ",
    "path",
    "content",
    "|",
    "&a",
    "*a",
    "!",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "#",
    "---",
    "?",
    "<<",
    "\t",
    "/run/peerpod/apf.json",
    "\u0000",
  );
  it("is either a list of files or a UserDataError", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.array(pieces).map((parts) => Buffer.from(parts.join(""))),
        ),
        (bytes) => {
          const outcome = attempt(() => parseCloudConfig(bytes));
          expect(outcome instanceof UserDataError || isFileList(outcome)).toBe(true);
        },
      ),
      { numRuns: 1500 },
    );
  });
});

function attempt(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

function isFileList(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((file) => typeof file.path === "string" && typeof file.content === "string")
  );
}
