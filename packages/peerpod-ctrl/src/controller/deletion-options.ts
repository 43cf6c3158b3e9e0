import { loadOptions, OptionsError, type OptionSpec, type OptionValues } from "@peerpods/cloud-providers";

/**
 * A provider's options as deleting needs them. Nothing is required here, since most required options are for creating: what
 * a deletion does lack, the provider or the cloud will name. A value that does not parse is left out and reported, because
 * a wrong disk size must not keep a VM alive.
 */
export function deletionOptions(
  spec: OptionSpec,
  env: Readonly<Record<string, string | undefined>>,
): { readonly values: OptionValues; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const values: Record<string, OptionValues[string]> = {};
  for (const option of spec) {
    const { required: _, ...optional } = option;
    const load = (from: typeof env) => {
      const loaded = loadOptions([optional], { argv: [], env: from });
      return "values" in loaded ? loaded.values : {};
    };
    try {
      Object.assign(values, load(env));
    } catch (error) {
      if (!(error instanceof OptionsError)) throw error;
      problems.push(...error.problems);
      Object.assign(values, load({}));
    }
  }
  return { values, problems };
}
