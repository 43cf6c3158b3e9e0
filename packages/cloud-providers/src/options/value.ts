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
      return inRange(option, /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN, "a whole number");
    case "float":
      return inRange(option, decimal.test(text) ? Number(text) : Number.NaN, "a number");
    case "uint64":
      return parseUint64(option, text);
    case "duration":
      return parseMilliseconds(option, text);
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

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const MAX_UINT64 = (1n << 64n) - 1n;

function inRange(
  { type, min = -Infinity, max = Infinity }: Option,
  number: number,
  what: string,
): ParsedValue {
  const representable = type === "int" ? Number.isSafeInteger(number) : Number.isFinite(number);
  if (representable && number >= min && number <= max) return { value: number };
  return { allowed: `${what}${rangeText(min, max)}` };
}

function parseUint64({ min = 0, max }: Option, text: string): ParsedValue {
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n;
  const most = max === undefined ? MAX_UINT64 : BigInt(max);
  if (value >= BigInt(min) && value <= most) return { value };
  return { allowed: `a whole number from ${min} to ${most}` };
}

/** `min` and `max` are milliseconds; without them no duration is negative. */
function parseMilliseconds({ min = 0, max = Infinity }: Option, text: string): ParsedValue {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= min && ms <= max) return { value: ms };
  const limits = min === 0 && max === Infinity ? "" : `, ${rangeText(min, max).trim()} ms`;
  return { allowed: `a duration with its unit, such as 90s or 5m${limits}` };
}

function rangeText(min: number, max: number): string {
  if (min === -Infinity && max === Infinity) return "";
  if (max === Infinity) return ` from ${min} on`;
  return min === -Infinity ? ` up to ${max}` : ` from ${min} to ${max}`;
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
