import { redactOptions } from "@peerpods/cloud-providers";
import type { CloudProvider, LoadedOptions, OptionSpec } from "@peerpods/cloud-providers";
import type { DescribedOption } from "../control/service.ts";
import { optionsWith } from "./all-options.ts";

/** The loaded options for people and for the tool: each value as its flag would take it, secrets hidden. */
export function describeOptions(provider: CloudProvider, loaded: LoadedOptions): readonly DescribedOption[] {
  const spec = optionsWith(provider);
  const values = redactOptions(spec, loaded.values);
  return spec.map((option) => ({
    flag: option.flag,
    value: textOf(option, values[option.flag]),
    source: loaded.sources[option.flag] ?? "default",
    ofProvider: provider.options.includes(option),
  }));
}

function textOf({ type }: OptionSpec[number], value: LoadedOptions["values"][string] | undefined): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.join(",");
  if (typeof value === "object")
    return Object.entries(value)
      .map(([key, text]) => `${key}=${text}`)
      .join(",");
  return type === "duration" && typeof value === "number" ? `${value}ms` : String(value);
}
