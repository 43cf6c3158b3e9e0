import { scanArguments, type GivenFlag } from "./arguments.ts";
import type { Option, OptionSpec } from "./spec.ts";
import { defaultValue, parseValue, type OptionValue } from "./value.ts";

/** Values by flag name. */
export type OptionValues = Readonly<Record<string, OptionValue>>;

export interface LoadedOptions {
  readonly values: OptionValues;
  /** Where each value comes from. */
  readonly sources: Readonly<Record<string, "flag" | "env" | "default">>;
}

export interface OptionSources {
  /** Arguments behind the program's (and the provider's) name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Everything that is wrong with the options, reported together. Values of secret options are not in it. */
export class OptionsError extends Error {
  override readonly name = "OptionsError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** Asked for help: `-h` or `-help` was among the arguments. */
export interface HelpRequested {
  readonly help: true;
}

/**
 * Loads options: flag over environment over default. An empty environment variable counts as unset. A list or map given
 * by flags replaces the one of the environment; several flags of the same list or map add up; of other types the last wins.
 * @throws OptionsError with every wrong flag, every wrong value (naming option, source and what is allowed), and one
 * line that lists all required options that are missing.
 */
export function loadOptions(spec: OptionSpec, { argv, env }: OptionSources): LoadedOptions | HelpRequested {
  const scanned = scanArguments(spec, argv);
  if (scanned.help) return { help: true };
  const problems = [...scanned.problems];
  const values: Record<string, OptionValue> = {};
  const sources: Record<string, "flag" | "env" | "default"> = {};
  for (const option of spec) {
    const flags = scanned.given.filter((given) => given.option === option);
    const envText = option.env === undefined ? undefined : env[option.env];
    if (flags.length > 0) {
      sources[option.flag] = "flag";
      values[option.flag] = fromFlags(option, flags, problems);
    } else if (envText !== undefined && envText !== "") {
      sources[option.flag] = "env";
      values[option.flag] = fromText(option, envText, {
        source: `environment variable ${option.env}`,
        problems,
      });
    } else {
      sources[option.flag] = "default";
      values[option.flag] = defaultValue(option);
    }
  }
  const missing = spec.filter((option) => option.required === true && isEmpty(values[option.flag]));
  if (missing.length > 0) problems.push(`missing: ${missing.map(describe).join(", ")}`);
  if (problems.length > 0) throw new OptionsError(problems);
  return { values, sources };
}

function fromFlags(option: Option, flags: readonly GivenFlag[], problems: string[]): OptionValue {
  const values = flags.map(({ text }) =>
    fromText(option, text, { source: `flag -${option.flag}`, problems }),
  );
  if (option.type === "list") return values.flatMap((value) => value as readonly string[]);
  if (option.type === "map") return Object.assign({}, ...values) as Record<string, string>;
  return values.at(-1) ?? defaultValue(option);
}

function fromText(
  option: Option,
  text: string,
  { source, problems }: { source: string; problems: string[] },
): OptionValue {
  const parsed = parseValue(option, text);
  if ("value" in parsed) return parsed.value;
  const shown = option.secret === true ? "its value" : JSON.stringify(text);
  problems.push(`${source}: ${shown} is not allowed; it must be ${parsed.allowed}`);
  return defaultValue(option);
}

function describe({ flag, env }: Option): string {
  return env === undefined ? `-${flag}` : `-${flag} (or ${env})`;
}

function isEmpty(value: OptionValue | undefined): boolean {
  return (
    value === undefined || value === "" || (typeof value === "object" && Object.keys(value).length === 0)
  );
}
