import type { OptionValue } from "./value.ts";
import type { OptionValues } from "./load.ts";
import type { OptionSpec } from "./spec.ts";

const HIDDEN = "**********";

/**
 * A copy for logs, in which every secret option shows ten asterisks, also when it is empty, and every URL in another one
 * shows them for its password. What the spec does not know is hidden too. The original stays as it is.
 */
export function redactOptions(spec: OptionSpec, values: OptionValues): OptionValues {
  const open = new Set(spec.filter((option) => option.secret !== true).map((option) => option.flag));
  return Object.fromEntries(
    Object.entries(values).map(([flag, value]) => [flag, open.has(flag) ? withoutPasswords(value) : HIDDEN]),
  );
}

function withoutPasswords(value: OptionValue): OptionValue {
  if (typeof value === "string") return withoutPassword(value);
  if (Array.isArray(value)) return value.map(withoutPassword);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutPassword(item)]));
}

function withoutPassword(text: string): string {
  return text.replaceAll(/(\/\/[^/\s:@]*:)[^/\s@]+@/g, `$1${HIDDEN}@`);
}
