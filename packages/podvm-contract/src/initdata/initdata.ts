import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { parse } from "smol-toml";
import * as z from "zod";
import { PodVMContractError } from "../errors.ts";

/** Greatest initdata document, in bytes of TOML, unless the caller says otherwise. */
export const DEFAULT_MAX_INITDATA_BYTES = 1024 * 1024;

/** The document used when a pod brings none: no files but an empty attestation agent configuration. */
export const DEFAULT_INITDATA_TOML = `algorithm = "sha256"
version = "0.1.0"

[data]
"aa.toml" = '''
'''`;

/** A decoded initdata document. */
export interface Initdata {
  readonly algorithm: "sha256" | "sha384" | "sha512";
  /** As written; not checked. Empty when absent. */
  readonly version: string;
  /** Content by file name. Names are not checked here; see `initdataPaths`. */
  readonly data: ReadonlyMap<string, string>;
  /** Lower-case hex of the hash over the TOML bytes as they were encoded. */
  readonly digest: string;
}

const schema = z.object({
  algorithm: z.enum(["sha256", "sha384", "sha512"]),
  version: z.string().default(""),
  data: z.record(z.string(), z.string()).default({}),
});

/** Encodes an initdata document for user data: base64 of gzip. The bytes, and so the digest, are kept. */
export function encodeInitdata(toml: string | Uint8Array): string {
  return gzipSync(toml).toString("base64");
}

/**
 * Decodes initdata from user data: base64 (line breaks allowed), gzip, TOML.
 * @param options.maxBytes limit of the TOML document, default {@link DEFAULT_MAX_INITDATA_BYTES}. It also bounds
 * the encoded text and stops the decompression, so a small text cannot grow beyond it.
 * @throws PodVMContractError `too_large`, or `invalid_initdata` for anything that does not decode.
 */
export function decodeInitdata(text: string, options: { readonly maxBytes?: number } = {}): Initdata {
  const { maxBytes = DEFAULT_MAX_INITDATA_BYTES } = options;
  const toml = gunzip(decodeBase64(text, maxBytes), maxBytes);
  const { algorithm, version, data } = parseDocument(toml);
  const digest = createHash(algorithm).update(toml).digest("hex");
  return { algorithm, version, data: new Map(Object.entries(data)), digest };
}

function decodeBase64(text: string, maxBytes: number): Buffer {
  // Gzip never makes a document much longer, base64 adds a third, line breaks a little.
  if (text.length > maxBytes * 1.5 + 1024) throw tooLarge(maxBytes);
  const base64 = text.replaceAll(/[\r\n]/g, "");
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw invalid("it is not base64");
  return Buffer.from(base64, "base64");
}

function gunzip(bytes: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    throw isTooLarge(error) ? tooLarge(maxBytes) : invalid("it is not gzip data");
  }
}

function parseDocument(toml: Buffer) {
  let document: unknown;
  try {
    document = parse(new TextDecoder("utf-8", { fatal: true }).decode(toml));
  } catch {
    // The parser's message quotes the document, which may hold secrets.
    throw invalid("it is not TOML");
  }
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  throw invalid(result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

function tooLarge(maxBytes: number): PodVMContractError {
  return new PodVMContractError("too_large", `initdata exceeds the limit of ${maxBytes} bytes`);
}

function invalid(reason: string): PodVMContractError {
  return new PodVMContractError("invalid_initdata", `initdata cannot be used: ${reason}`);
}
