import { loadOptions, OptionsError, type CloudProvider, type OptionValues } from "@peerpods/cloud-providers";
import { optionsWith } from "../daemon/all-options.ts";
import { CommandError } from "./command-error.ts";

/** Where options are read from: words of the command line, and the environment. */
export interface OptionSources {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Values of a provider's own options, from the words and environment that the daemon would be started with.
 * @throws CommandError with everything that is wrong, or missing.
 */
export function providerConfig(cloudProvider: CloudProvider, sources: OptionSources): OptionValues {
  try {
    const loaded = loadOptions(optionsWith(cloudProvider), sources);
    if ("help" in loaded) throw new OptionsError(["peerpods options shows the options of a provider"]);
    return Object.fromEntries(cloudProvider.options.map(({ flag }) => [flag, loaded.values[flag] ?? ""]));
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    throw new CommandError(
      `provider ${cloudProvider.name} cannot be used:\n  ${error.problems.join("\n  ")}`,
      {
        remedy: `give them as flags or environment; peerpods options ${cloudProvider.name} --daemon lists all`,
        cause: error,
      },
    );
  }
}
