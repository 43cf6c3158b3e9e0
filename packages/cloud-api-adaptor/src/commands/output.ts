import type { Writable } from "node:stream";

/** One JSON document, indented. 64-bit counters become numbers; none of them comes near 2^53. */
export function writeJson(stream: Writable, value: unknown): void {
  stream.write(`${toJson(value)}\n`);
}

/** As {@link writeJson}, without the newline. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, plain, 2);
}

function plain(key: string, value: unknown): unknown {
  // Names of protobuf types say nothing to a person or a script.
  if (key === "$typeName" || key === "$unknown") return undefined;
  return typeof value === "bigint" ? Number(value) : value;
}

/**
 * Text that a guest or a cloud wrote, made harmless for a terminal: control characters other than newline and tab become
 * their picture, so that a log can neither move the cursor nor hide a line.
 */
export function harmless(text: string): string {
  return text.replaceAll(/\r\n/g, "\n").replaceAll(/(?![\n\t])\p{Cc}/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x24_00 + code);
    return code === 0x7f ? "\u2421" : "\ufffd";
  });
}
