import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { DEFAULT_INITDATA_TOML, decodeInitdata, encodeInitdata } from "./initdata.ts";

const encoded = (toml: string | Uint8Array) => gzipSync(toml).toString("base64");

describe("the default document", () => {
  const initdata = decodeInitdata(encodeInitdata(DEFAULT_INITDATA_TOML));

  it("is the reference's, byte for byte", () => {
    expect(Buffer.byteLength(DEFAULT_INITDATA_TOML)).toBe(66);
    expect(initdata.digest).toBe("adb48cc14fea9403d3d51f3b5f5068fd4d80445a14e94f1b3d5dbabaad66478d");
  });

  it("gives the reference's PCR 8 after one extension from zero", () => {
    const pcr = createHash("sha256").update(Buffer.alloc(32)).update(Buffer.from(initdata.digest, "hex"));
    expect(pcr.digest("hex")).toBe("4b58b30becd30d16f7f60d56b32661d921ae0d3310c6a89f5d552f9bfee921a9");
  });

  it("has one empty file", () => {
    expect(initdata).toMatchObject({ algorithm: "sha256", version: "0.1.0" });
    expect([...initdata.data]).toEqual([["aa.toml", ""]]);
  });
});

describe("decodeInitdata", () => {
  it.each(["sha256", "sha384", "sha512"])("hashes the TOML bytes with %s", (algorithm) => {
    const toml = `algorithm = "${algorithm}"\nother = 1\n[data]\n"policy.rego" = "package p"\n`;
    const initdata = decodeInitdata(encoded(toml));
    expect(initdata.digest).toBe(createHash(algorithm).update(toml).digest("hex"));
    expect(initdata.version).toBe("");
    expect([...initdata.data]).toEqual([["policy.rego", "package p"]]);
  });

  it("takes base64 with line breaks", () => {
    const lines = encodeInitdata(DEFAULT_INITDATA_TOML).replaceAll(/.{20}/g, "$&\r\n");
    expect(decodeInitdata(`${lines}\n`).version).toBe("0.1.0");
  });

  it("keeps a file whose name means something to JavaScript", () => {
    const toml = `algorithm = "sha256"\n[data]\n"constructor" = "x"\n`;
    expect([...decodeInitdata(encoded(toml)).data]).toEqual([["constructor", "x"]]);
  });

  it.each([
    ["text that is not base64", "!!!!"],
    ["unpadded base64", "abc"],
    ["base64 of something else", Buffer.from("plain").toString("base64")],
    ["nothing", ""],
    ["a truncated stream", gzipSync("algorithm = 'sha256'").subarray(0, 20).toString("base64")],
    ["no TOML", encoded("algorithm = ")],
    ["bytes that are not UTF-8", encoded(Uint8Array.from([0xff, 0xfe]))],
    ["no algorithm", encoded('version = "1"')],
    ["another algorithm", encoded('algorithm = "md5"')],
    ["upper case", encoded('algorithm = "SHA256"')],
    ["a number as content", encoded('algorithm = "sha256"\n[data]\na = 1')],
  ])("refuses %s", (_what, text) => {
    expect(() => decodeInitdata(text)).toThrow(expect.objectContaining({ code: "invalid_initdata" }));
  });

  it("stops a gzip bomb at the limit", () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024)).toString("base64");
    expect(() => decodeInitdata(bomb)).toThrow(expect.objectContaining({ code: "too_large" }));
    expect(() => decodeInitdata("A".repeat(10_000), { maxBytes: 1000 })).toThrow(
      expect.objectContaining({ code: "too_large" }),
    );
  });

  it("accepts a document of exactly the limit", () => {
    const maxBytes = Buffer.byteLength(DEFAULT_INITDATA_TOML);
    const text = encodeInitdata(DEFAULT_INITDATA_TOML);
    expect(decodeInitdata(text, { maxBytes }).algorithm).toBe("sha256");
    expect(() => decodeInitdata(text, { maxBytes: maxBytes - 1 })).toThrow(
      expect.objectContaining({ code: "too_large" }),
    );
  });

  it("does not quote the document", () => {
    const toml = 'algorithm = "sha256"\nCANARY = = "secret"';
    expect(() => decodeInitdata(encoded(toml))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("CANARY") }),
    );
  });
});
