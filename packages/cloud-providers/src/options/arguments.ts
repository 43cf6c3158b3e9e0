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
 * `-f=v`, `--f=v`; a bare boolean is true and takes a value only after `=`; `--` ends the flags. Unlike there, a word
 * that belongs to no flag is a problem, since whoever wrote it meant something by it. Such words are named by their place, not
 * shown: next to a misspelt flag they may be a secret.
 */
export function scanArguments(spec: OptionSpec, argv: readonly string[]): ScannedArguments {
  const options = new Map(spec.map((option) => [option.flag, option]));
  const given: GivenFlag[] = [];
  const problems: string[] = [];
  let help = false;
  for (let at = 0; at < argv.length; at++) {
    const [, name, inline] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(argv[at] ?? "") ?? [];
    const following = argv[at + 1];
    if (name === undefined) {
      const stray = argv[at] === "--" ? at + 1 : at;
      if (stray < argv.length) problems.push(`word ${stray + 1} of the command line belongs to no flag`);
      if (stray !== at) break;
      continue;
    }
    const option = options.get(name);
    if (option !== undefined && inline !== undefined) given.push({ option, text: inline });
    else if (option?.type === "bool") given.push({ option, text: "true" });
    else if (option !== undefined && following === undefined) problems.push(`flag -${name} needs a value`);
    else if (option !== undefined) given.push({ option, text: argv[++at] ?? "" });
    else if (name === "h" || name === "help") help = true;
    else {
      problems.push(`flag -${name} does not exist`);
      // Most likely its value, and then no problem of its own.
      if (inline === undefined && following !== undefined && !following.startsWith("-")) at++;
    }
  }
  return { given, help, problems };
}
