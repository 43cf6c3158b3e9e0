import type { CloudProvider, OptionSpec } from "@peerpods/cloud-providers";
import { daemonOptions } from "./options.ts";

/**
 * The daemon's options and the provider's, in one list. A provider cannot take a name that the daemon has.
 * @throws Error naming the options that both have.
 */
export function optionsWith({ name, options }: CloudProvider): OptionSpec {
  const taken = options.filter(({ flag }) => daemonOptions.some((own) => own.flag === flag));
  if (taken.length === 0) return [...daemonOptions, ...options];
  const flags = taken.map(({ flag }) => flag).join(", ");
  throw new Error(`provider ${name} has options that the daemon has itself: ${flags}`);
}

/**
 * Every text that may be or hold a secret, before anything is known to be valid: environment values of secret options and
 * all that stands behind their flags.
 */
export function secretTexts(
  spec: OptionSpec,
  {
    argv,
    env,
  }: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string | undefined>> },
): readonly string[] {
  const secret = spec.filter((option) => option.secret === true);
  const fromEnv = secret.flatMap(({ env: name }) => (name === undefined ? [] : [env[name] ?? ""]));
  const fromFlags = secret.flatMap(({ flag }) =>
    argv.flatMap((word, index) => {
      if (word === `-${flag}` || word === `--${flag}`) return [argv[index + 1] ?? ""];
      const value = /^--?([^=]+)=(.*)$/s.exec(word);
      return value?.[1] === flag ? [value[2] ?? ""] : [];
    }),
  );
  return [...fromEnv, ...fromFlags].flatMap((text) => [text, ...text.split(","), text.trim()]);
}
