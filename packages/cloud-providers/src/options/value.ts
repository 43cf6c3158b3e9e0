import { parseDuration } from "./duration.ts";
import type { Option } from "./spec.ts";

/** A value of an option after parsing: `duration` in milliseconds, `uint64` as bigint. */
export type OptionValue =
  | string
  | number
  | bigint
  | boolean
  | readonly string[]
  | Readonly<Record<string, string>>;

/** What a text means for an option, or what would have been allowed. */
export type ParsedValue = { readonly value: OptionValue } | { readonly allowed: string };

/** Parses one text, strictly: nothing is cut off, nothing falls back to a default. */
export function parseValue(option: Option, text: string): ParsedValue {
  switch (option.type) {
    case "string":
      return option.oneOf === undefined || option.oneOf.includes(text)
        ? { value: text }
        : { allowed: `one of ${option.oneOf.map((word) => JSON.stringify(word)).join(", ")}` };
    case "bool":
      return parseBool(text);
    case "int":
    case "float":
      return parseNumber(option, text);
    case "uint64":
      return parseUint64(text);
    case "duration": {
      const ms = parseDuration(text);
      return ms !== undefined && ms >= 0
        ? { value: ms }
        : { allowed: "a duration with its unit, such as 90s or 5m" };
    }
    case "list":
      return { value: splitList(text) };
    case "map":
      return parseMap(text);
    default:
      return option.type satisfies never;
  }
}

/** The value of an option that was given nowhere. */
export function defaultValue(option: Option): OptionValue {
  if (option.default === undefined) return emptyValue(option);
  if (option.type === "duration" && typeof option.default === "string")
    return parseDuration(option.default) ?? 0;
  return option.default;
}

function emptyValue({ type }: Option): OptionValue {
  switch (type) {
    case "string":
      return "";
    case "bool":
      return false;
    case "int":
    case "float":
    case "duration":
      return 0;
    case "uint64":
      return 0n;
    case "list":
      return [];
    case "map":
      return {};
    default:
      return type satisfies never;
  }
}

function parseBool(text: string): ParsedValue {
  if (/^(1|t|true)$/i.test(text)) return { value: true };
  if (/^(0|f|false)$/i.test(text)) return { value: false };
  return { allowed: "true or false" };
}

function parseNumber({ type, min = -Infinity, max = Infinity }: Option, text: string): ParsedValue {
  const number = Number(text);
  const wellFormed =
    type === "int" ? /^[+-]?\d+$/.test(text) && Number.isSafeInteger(number) : /^[+-]?[\d.]/.test(text);
  if (wellFormed && Number.isFinite(number) && number >= min && number <= max) return { value: number };
  const what = type === "int" ? "a whole number" : "a number";
  if (min === -Infinity && max === Infinity) return { allowed: what };
  if (max === Infinity) return { allowed: `${what} from ${min} on` };
  if (min === -Infinity) return { allowed: `${what} up to ${max}` };
  return { allowed: `${what} from ${min} to ${max}` };
}

function parseUint64(text: string): ParsedValue {
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n;
  return value >= 0n && value < 1n << 64n
    ? { value }
    : { allowed: `a whole number from 0 to ${(1n << 64n) - 1n}` };
}

function splitList(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function parseMap(text: string): ParsedValue {
  const entries: [string, string][] = [];
  for (const item of splitList(text)) {
    const at = item.indexOf("=");
    if (at < 1) return { allowed: "pairs such as key1=value1,key2=value2" };
    entries.push([item.slice(0, at).trim(), item.slice(at + 1).trim()]);
  }
  return { value: Object.fromEntries(entries) };
}
