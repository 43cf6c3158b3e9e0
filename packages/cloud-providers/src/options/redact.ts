import type { OptionValues } from "./load.ts";
import type { OptionSpec } from "./spec.ts";

const HIDDEN = "**********";

/** A copy in which every secret option shows ten asterisks, also when it is empty. The original stays as it is. */
export function redactOptions(spec: OptionSpec, values: OptionValues): OptionValues {
  const secret = new Set(spec.filter((option) => option.secret === true).map((option) => option.flag));
  return Object.fromEntries(
    Object.entries(values).map(([flag, value]) => [flag, secret.has(flag) ? HIDDEN : value]),
  );
}
