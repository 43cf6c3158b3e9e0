/**
 * One list of options per provider or program, from which come flags, environment, redaction, documentation
 * and Helm values.
 */

/** Types an option can have. `duration` is Go duration text (`5m`, `90s`) and becomes milliseconds. */
export type OptionType = "string" | "int" | "uint64" | "float" | "bool" | "duration" | "list" | "map";

/** One option: a flag, usually with an environment variable of its own. */
export interface Option {
  readonly flag: string;
  readonly env?: string;
  readonly type: OptionType;
  /** In the option's own type (`duration`: text such as `5m`). Absent means empty: "", 0, false, [] or {}. */
  readonly default?:
    | string
    | number
    | bigint
    | boolean
    | readonly string[]
    | Readonly<Record<string, string>>;
  readonly required?: boolean;
  /** Never shown: redacted in logs, help, errors and bundles. */
  readonly secret?: boolean;
  readonly help: string;
  /** Allowed range of a number, inclusive. */
  readonly min?: number;
  readonly max?: number;
  /** Allowed words of a string. */
  readonly oneOf?: readonly string[];
}

export type OptionSpec = readonly Option[];
