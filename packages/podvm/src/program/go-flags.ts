/** One flag: what it takes and what it is when not given. */
export type GoFlag =
  | { readonly type: "string"; readonly default: string; readonly help: string }
  | { readonly type: "boolean"; readonly help: string };

type Values<Flags extends Record<string, GoFlag>> = {
  readonly [Name in keyof Flags]: Flags[Name]["type"] extends "boolean" ? boolean : string;
};

/** A flag that does not exist, lacks its value or has a wrong one. The message names it. */
export class FlagError extends Error {
  override readonly name = "FlagError";
}

const trueWords = ["1", "t", "T", "TRUE", "true", "True"];
const falseWords = ["0", "f", "F", "FALSE", "false", "False"];

/**
 * Reads flags as Go's `flag` package writes them, since units and scripts of the field use that form: one dash or two,
 * `-name value` or `-name=value`, booleans alone or as `-name=false`; of a repeated flag the last counts.
 * @throws FlagError for anything else, also for arguments that are no flags.
 */
export function parseGoFlags<const Flags extends Record<string, GoFlag>>(
  args: readonly string[],
  flags: Flags,
): Values<Flags> {
  const values = new Map<string, string | boolean>();
  for (const [name, flag] of Object.entries(flags))
    values.set(name, flag.type === "boolean" ? false : flag.default);
  for (let index = 0; index < args.length; index++) {
    const { name, value } = splitFlag(args[index] ?? "");
    const flag = flags[name];
    if (flag === undefined) throw new FlagError(`flag provided but not defined: -${name}; see -h`);
    if (flag.type === "boolean") {
      values.set(name, booleanOf(name, value ?? "true"));
      continue;
    }
    if (value === undefined) index += 1;
    const given = value ?? args[index];
    if (given === undefined) throw new FlagError(`flag needs an argument: -${name}`);
    values.set(name, given);
  }
  return Object.fromEntries(values) as Values<Flags>;
}

/** The list of flags as `-h` prints it. */
export function describeGoFlags(flags: Record<string, GoFlag>): string {
  const lines = Object.entries(flags).map(([name, flag]) => {
    const preset = flag.type === "string" && flag.default !== "" ? ` (default ${flag.default})` : "";
    return `  -${name}${flag.type === "string" ? " VALUE" : ""}\n        ${flag.help}${preset}\n`;
  });
  return lines.join("");
}

function splitFlag(argument: string): { readonly name: string; readonly value: string | undefined } {
  const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(argument);
  const name = match?.[1];
  if (name === undefined) throw new FlagError(`unexpected argument ${JSON.stringify(argument)}; see -h`);
  return { name, value: match?.[2] };
}

function booleanOf(name: string, word: string): boolean {
  if (trueWords.includes(word)) return true;
  if (falseWords.includes(word)) return false;
  throw new FlagError(`invalid boolean value ${JSON.stringify(word)} for -${name}: use true or false`);
}
