import type { Clock } from "../clock.ts";
import { UNDO_TIMEOUT_MS, type CallContext } from "../contract.ts";
import { ProviderError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { limitedCall } from "./limited-call.ts";

/** For finding out what could not be undone. */
const LEFT_TIMEOUT_MS = 5_000;

/** A creation in steps, of which each may fail. */
export interface Undoable<Result> {
  /** Calls `begun` as soon as there may be something to undo. */
  make(begun: () => void): Promise<Result>;
  /** Removes what a failed {@link make} has made. */
  undo(error: ProviderError, call: CallContext): Promise<void>;
  /** Names of what is there although it was to be undone, as the cloud has them. */
  left(call: CallContext): Promise<readonly string[]>;
}

/**
 * Makes something whole or not at all. Undoing has a time of its own ({@link UNDO_TIMEOUT_MS}): the caller's is often over.
 * @throws ProviderError why it could not be made, with `left` if it could not be undone either.
 */
export async function makeOrUndo<Result>(
  steps: Undoable<Result>,
  {
    what,
    token,
    clock,
    logger,
  }: { readonly what: string; readonly token: string; readonly clock: Clock; readonly logger: Logger },
): Promise<Result> {
  let begun = false;
  try {
    return await steps.make(() => {
      begun = true;
    });
  } catch (thrown) {
    const error = ProviderError.from(thrown, `cannot create ${what}`);
    if (!begun) throw error;
    const remains = await undoInItsOwnTime(error);
    if (remains.length === 0) throw error;
    const message = `${error.message}; it could not be undone`;
    throw new ProviderError(error.code, message, { cause: error, left: remains });
  }

  async function undoInItsOwnTime(error: ProviderError): Promise<readonly string[]> {
    try {
      using call = limitedCall(clock, { timeoutMs: UNDO_TIMEOUT_MS, logger });
      await steps.undo(error, call);
      return [];
    } catch (failure) {
      logger.warn({ err: failure, token }, "cannot undo a failed creation");
      return await namesOfWhatIsLeft();
    }
  }

  async function namesOfWhatIsLeft(): Promise<readonly string[]> {
    try {
      using call = limitedCall(clock, { timeoutMs: LEFT_TIMEOUT_MS, logger });
      return await steps.left(call);
    } catch {
      return [`whatever carries the token ${token}`];
    }
  }
}
