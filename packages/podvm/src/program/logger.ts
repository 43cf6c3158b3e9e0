import { destination, pino } from "pino";
import type { Logger } from "pino";

/** JSON lines on standard error, written at once so that the last ones survive an exit. */
export function createLogger(program: string): Logger {
  return pino({ name: program, base: { name: program } }, destination({ fd: 2, sync: true }));
}
