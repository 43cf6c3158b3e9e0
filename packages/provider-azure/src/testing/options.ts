import { loadOptions, type OptionValues } from "@peerpods/cloud-providers";
import { azureOptions } from "../options.ts";

/** Values of the options from an environment, as a program has them. */
export function loadedOptions(env: Readonly<Record<string, string>>): OptionValues {
  const loaded = loadOptions(azureOptions, { argv: [], env });
  if ("help" in loaded) throw new Error("no help was asked for");
  return loaded.values;
}
