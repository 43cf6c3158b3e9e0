import { pino } from "pino";
import type { Logger as PinoLogger } from "pino";
import type { Scrub } from "./scrub.ts";

/** Fields that never belong into a log, at any of the first two levels. */
const secretFields = ["userData", "key", "tlsServerKey", "authJson", "config", "tls"];

/**
 * The daemon's log: JSON lines with `time` in ISO form and the level as a word. Two nets under it: fields that hold secrets
 * are replaced by name, and every line is scrubbed of known secret values.
 * @param options.write takes one line with its newline; default: standard output.
 */
export function createLogger(options: {
  readonly level: string;
  readonly scrub: Scrub;
  readonly write?: (line: string) => void;
}): PinoLogger {
  const { level, scrub, write = (line) => void process.stdout.write(line) } = options;
  return pino(
    {
      level,
      base: {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap((name) => [name, `*.${name}`]), censor: "**********" },
    },
    { write: (line: string) => write(scrub(line)) },
  );
}
