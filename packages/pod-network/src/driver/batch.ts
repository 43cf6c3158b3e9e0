import { PodNetworkError } from "../errors.ts";

declare const checked: unique symbol;

/** One command of `ip` or `tc` without the program's name, e.g. `link set eth0 up`. Made by {@link command}. */
export type Command = string & { readonly [checked]: true };

/**
 * Writes a command as iproute2's `-batch` reads it; each value becomes one word.
 *
 * A line is split at blanks, may hold comments, quotes and continuations, and has no way to escape a quote: a value
 * that cannot be passed on unchanged is refused, so none can become another word or another command.
 * @throws PodNetworkError `invalid_config`
 */
export function command(texts: TemplateStringsArray, ...values: readonly (string | number)[]): Command {
  return String.raw({ raw: texts }, ...values.map(word)) as Command;
}

/** The words of several commands as one. */
export function joined(...parts: readonly (Command | undefined)[]): Command {
  return parts.filter((part) => part !== undefined).join(" ") as Command;
}

/** The text of a batch: one command a line. */
export function batchText(commands: readonly Command[]): string {
  return commands.map((line) => `${line}\n`).join("");
}

function word(value: string | number): string {
  const text = String(value);
  if (/^[\w.,:;/@+=%~-]+$/.test(text)) return text;
  if (/^[\w.,:;/@+=%~ #()&!-]+$/.test(text)) return `"${text}"`;
  throw new PodNetworkError("invalid_config", `${JSON.stringify(text)} cannot be passed to ip or tc`);
}
