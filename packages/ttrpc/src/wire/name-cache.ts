import type { Buffer } from "node:buffer";

/** Names kept; a power of two. A new one takes the place of another with the same slot. */
const SLOTS = 256;
/** Longer texts are not kept, so that a hostile peer cannot fill memory. */
const MAX_LENGTH = 64;

/**
 * Texts of short byte strings that come again and again. Decoding one calls into C++ and makes a new string, whose hash
 * every lookup then computes again; finding it here is one pass over the bytes.
 */
export class NameCache {
  readonly #slots: (string | undefined)[] = Array.from({ length: SLOTS });

  /** The UTF-8 text from `start` to `end`. */
  textOf(bytes: Buffer, start: number, end: number): string {
    if (end - start > MAX_LENGTH) return bytes.toString("utf8", start, end);
    let hash = end - start;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    const slot = hash & (SLOTS - 1);
    const kept = this.#slots[slot];
    if (kept?.length === end - start && isAt(bytes, start, kept)) return kept;
    const text = bytes.toString("utf8", start, end);
    this.#slots[slot] = text;
    return text;
  }
}

/** Whether the text stands there; never true of a text with other than ASCII characters. */
function isAt(bytes: Buffer, start: number, text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f || code !== bytes[start + at]) return false;
  }
  return true;
}
