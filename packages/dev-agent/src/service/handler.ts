import { ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { Logger } from "pino";
import { internal, messageOf } from "../errors.ts";

/** For calls that the caller gave no deadline. */
const DEFAULT_DEADLINE_MS = 10 * 60_000;

/** One call of the service, before its errors are made fit for the wire. */
export type Handler<Request, Response> = (request: Request, context: HandlerContext) => Promise<Response>;

/** Answers every failure that has no status of its own with INTERNAL and its message, as the real agent does. */
export function answering<Request, Response>(
  handler: Handler<Request, Response>,
  logger: Logger,
): Handler<Request, Response> {
  return async (request, context) => {
    const method = context.method.name;
    try {
      const response = await handler(request, context);
      logger.debug({ method }, "call answered");
      return response;
    } catch (error) {
      if (context.signal.aborted) {
        logger.debug({ method }, "caller gone");
        throw error;
      }
      if (error instanceof ConnectError) {
        logger.info({ method, code: error.code, reason: error.rawMessage }, "call refused");
        throw error;
      }
      logger.warn({ method, err: error }, "call failed");
      throw internal(messageOf(error), error);
    }
  };
}

/**
 * The time limit of a call that changes something. Only the deadline ends it, not the loss of the connection: half a
 * start would be worse than a start whose answer is lost.
 */
export function deadlineOf(context: HandlerContext): AbortSignal {
  // What is left of a deadline has fractions; a timer takes whole milliseconds below 2^31.
  return AbortSignal.timeout(Math.min(Math.ceil(context.timeoutMs() ?? DEFAULT_DEADLINE_MS), 0x7fff_ffff));
}
