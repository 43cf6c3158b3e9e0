import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MAX_USER_DATA_BYTES } from "../cloud-config.ts";
import { UserDataError } from "../errors.ts";
import type { SourceCall } from "./source.ts";

const requestTimeoutMs = 10_000;
/** What base64 adds, and some line breaks. */
const maxBodyBytes = Math.ceil(MAX_USER_DATA_BYTES * 1.4);

/** One request to a metadata service. */
export interface MetadataRequest {
  readonly url: string;
  readonly method?: "GET" | "PUT";
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Asks a cloud's metadata service. Any other status than 200, an answer that is too long, late or empty is an error.
 * @throws UserDataError `unavailable`, since metadata services come up after the machine; the reason of `signal`
 */
export async function askMetadata(request: MetadataRequest, { signal }: SourceCall): Promise<Buffer> {
  const { url, method = "GET", headers = {} } = request;
  try {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]);
    const response = await fetch(url, { method, headers, redirect: "error", signal: deadline });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new UserDataError("unavailable", `${method} ${url} was answered with status ${response.status}`);
    }
    const body = await readBody(response);
    if (body.length === 0)
      throw new UserDataError("unavailable", `${method} ${url} was answered with nothing`);
    return body;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UserDataError) throw error;
    throw new UserDataError("unavailable", `${method} ${url} was not answered`, { cause: error });
  }
}

/** Decodes what a service hands out as base64. */
export function decodeBase64(body: Buffer): Buffer {
  const text = body.toString("latin1").replaceAll(/\s/g, "");
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) return Buffer.from(text, "base64");
  throw new UserDataError(
    "invalid_user_data",
    "user data is not base64, which this cloud's metadata service gives",
  );
}

/** A field of the machine's firmware, e.g. `sys_vendor`; empty where there is none. */
export async function dmiField(root: string, name: string): Promise<string> {
  const text = await readFile(join(root, "sys/class/dmi/id", name), "utf8").catch(() => "");
  return text.trim();
}

async function readBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBodyBytes)
      throw new UserDataError("too_large", `user data is longer than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
