import type { ConsoleLog } from "../abilities.ts";

/** The last bytes as text, from the start of a character on. */
export function lastBytes(bytes: Buffer, maxBytes: number): Pick<ConsoleLog, "text" | "truncated"> {
  let from = Math.max(0, bytes.byteLength - Math.max(0, maxBytes));
  while (from < bytes.byteLength && ((bytes[from] ?? 0) & 0xc0) === 0x80) from += 1;
  return { text: bytes.subarray(from).toString("utf8"), truncated: from > 0 };
}
