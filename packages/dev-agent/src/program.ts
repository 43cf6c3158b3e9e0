import { pino, type Logger } from "pino";
import { UsageError, type CommonFlags } from "./command-line.ts";

/** A program of this package. */
export interface Program<Flags extends CommonFlags> {
  readonly name: string;
  readonly usage: string;
  /** Undefined when help is asked for. */
  readonly parse: (args: readonly string[]) => Flags | undefined;
  /** Serves until the work is done or the signal is aborted. */
  readonly serve: (flags: Flags, surroundings: Surroundings, signal: AbortSignal) => Promise<void>;
}

/** What a program gets from its process. */
export interface Surroundings {
  readonly logger: Logger;
  /** PATH */
  readonly searchPath: string;
}

/** Runs a program to its end and sets the exit code: 0, 1 for a failure, 2 for a wrong command line. */
export async function runProgram<Flags extends CommonFlags>(program: Program<Flags>): Promise<void> {
  const { name, usage, parse, serve } = program;
  try {
    const flags = parse(process.argv.slice(2));
    if (flags === undefined) {
      process.stdout.write(usage);
      return;
    }
    const logger = pino({ level: flags.logLevel, base: { program: name } }, pino.destination(2));
    const searchPath = process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin";
    const ending = new AbortController();
    for (const signal of ["SIGTERM", "SIGINT"] as const)
      process.once(signal, () => {
        logger.info({ signal }, "ending");
        ending.abort();
      });
    await serve(flags, { logger, searchPath }, ending.signal);
    logger.info("ended");
  } catch (error) {
    const remedy = error instanceof UsageError ? `; see ${name} -help` : "";
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}${remedy}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
