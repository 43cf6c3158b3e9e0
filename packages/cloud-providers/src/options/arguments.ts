import type { Option, OptionSpec } from "./spec.ts";

/** A flag as it stood on the command line. */
export interface GivenFlag {
  readonly option: Option;
  readonly text: string;
}

export interface ScannedArguments {
  readonly given: readonly GivenFlag[];
  /** `-h`, `-help` or `--help` was there. */
  readonly help: boolean;
  /** What cannot be understood, one sentence each. */
  readonly problems: readonly string[];
}

/**
 * Reads a command line in the syntax of Go's flag package, so that existing start scripts work: `-f v`, `--f v`,
 * `-f=v`, `--f=v`; a bare boolean is true and takes a value only after `=`. Unlike there, a word that belongs to no flag is
 * a problem, since whoever wrote it meant something by it.
 */
export function scanArguments(spec: OptionSpec, argv: readonly string[]): ScannedArguments {
  const options = new Map(spec.map((option) => [option.flag, option]));
  const given: GivenFlag[] = [];
  const problems: string[] = [];
  let help = false;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word);
    if (match === null) {
      if (word !== "--") problems.push(`unexpected argument ${JSON.stringify(word)}`);
      continue;
    }
    const [, name = "", inline] = match;
    const option = options.get(name);
    if (option === undefined) {
      if (name === "h" || name === "help") help = true;
      else problems.push(`flag -${name} does not exist`);
      continue;
    }
    const following = argv[at + 1];
    if (inline !== undefined) given.push({ option, text: inline });
    else if (option.type === "bool") given.push({ option, text: "true" });
    else if (following === undefined) problems.push(`flag -${name} needs a value`);
    else {
      given.push({ option, text: following });
      at++;
    }
  }
  return { given, help, problems };
}
