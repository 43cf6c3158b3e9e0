import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { isProviderError } from "../errors.ts";
import { createCloudConfig, type CloudConfigFile } from "./cloud-config.ts";
import { encodeUserData } from "./encode-user-data.ts";

const refused = expect.objectContaining({ code: "invalid_request" }) as Error;

/** What a YAML reader finds as the content, or the code of the refusal. */
function readBack(content: string): string | undefined {
  try {
    const document = createCloudConfig([{ path: "/x", content }]);
    const { write_files: files } = parse(document) as { write_files: { content?: string }[] };
    return files[0]?.content;
  } catch (error) {
    return isProviderError(error) ? error.code : String(error);
  }
}

describe("createCloudConfig", () => {
  it("is one line without files", () => {
    expect(createCloudConfig([])).toBe("#cloud-config\n");
  });

  it("writes the document byte for byte", () => {
    const files: CloudConfigFile[] = [
      { path: "/123", content: "Hello\n" },
      { path: "/456", owner: "root:root", permissions: "0644", content: "Hello\n\n\tWorld" },
      { path: "/run/peerpod/scratch-space.marker", content: "" },
    ];
    expect(createCloudConfig(files)).toBe(
      "#cloud-config\n\nwrite_files:\n  - path: /123\n    content: |\n      Hello\n" +
        "  - path: /456\n    owner: root:root\n    permissions: 0644\n    content: |\n      Hello\n      \n      \tWorld\n" +
        "  - path: /run/peerpod/scratch-space.marker\n",
    );
  });

  it("either refuses a content or lets a YAML reader find it again, its end one newline", () => {
    const piece = fc.constantFrom(
      " ",
      "\n",
      "\t",
      "a",
      ":",
      "#",
      "-",
      "'",
      '"',
      "é",
      "{",
      "\r",
      "\u0085",
      "😀",
      "\0",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const content = pieces.join("");
        const text = content.replace(/\n+$/, "");
        const kept = text === "" ? "" : `${text}\n`;
        expect([content === "" ? undefined : kept, "invalid_request"]).toContainEqual(readBack(content));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["an empty path", { path: "" }],
    ["a line break in the path", { path: "/a\nb" }],
    ["a leading blank", { path: " /a" }],
    ["a comment", { path: "/a #b" }],
    ["a mapping sign", { path: "/a: b" }],
    ["a mapping sign at the end", { path: "/a:" }],
    ["a quote", { path: "/x", owner: '"root"' }],
  ])("refuses %s", (_why, scalars) => {
    expect(() => createCloudConfig([{ content: "y", ...scalars }])).toThrow(refused);
  });
});

describe("encodeUserData", () => {
  const ec2 = { carrier: "EC2 UserData", encoding: "base64", maxBytes: 16_384 } as const;

  it("takes exactly the limit and refuses one byte more, counted in bytes", () => {
    expect(encodeUserData("é".repeat(8192), ec2)).toHaveLength(21_848);
    expect(() => encodeUserData(`${"é".repeat(8192)}x`, ec2)).toThrow(refused);
  });

  it("counts what the cloud counts", () => {
    const azure = { carrier: "userData", encoding: "base64", maxBytes: 8, counts: "encoded" } as const;
    expect(encodeUserData("123456", azure)).toBe("MTIzNDU2");
    expect(() => encodeUserData("1234567", azure)).toThrow(refused);
  });

  it("leaves plain text alone", () => {
    expect(encodeUserData("#cloud-config\n", { carrier: "x", encoding: "plain", maxBytes: 14 })).toBe(
      "#cloud-config\n",
    );
  });
});
