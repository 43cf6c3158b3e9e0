import { open } from "node:fs/promises";
import { MAX_USER_DATA_BYTES } from "../cloud-config.ts";

/** Reads a file up to one byte above the limit, which is enough to tell that it is too large. */
export async function readLimited(path: string): Promise<Uint8Array> {
  await using file = await open(path, "r");
  const buffer = Buffer.allocUnsafe(MAX_USER_DATA_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
