import { beforeAbort } from "./before-abort.ts";

/** Something that is made once, when it is first asked for, and shared by all that ask. */
export interface Shared<Value> {
  /** @throws what making it throws, and then the next caller makes it anew; `signal.reason` when the caller gives up. */
  get(signal: AbortSignal): Promise<Value>;
  /** The value, if it is there. */
  readonly made: Value | undefined;
}

/**
 * @param make runs with a signal of its own: the first caller's abort must not fail those that wait with it.
 * @param options.timeoutMs of one making; default 60 s.
 */
export function shared<Value>(
  make: (signal: AbortSignal) => Promise<Value>,
  { timeoutMs = 60_000 }: { readonly timeoutMs?: number } = {},
): Shared<Value> {
  let making: Promise<Value> | undefined;
  let made: Value | undefined;
  return {
    get made() {
      return made;
    },
    async get(signal) {
      signal.throwIfAborted();
      if (made !== undefined) return made;
      making ??= make(AbortSignal.timeout(timeoutMs)).then(
        (value) => {
          made = value;
          return value;
        },
        (error: unknown) => {
          making = undefined;
          throw error;
        },
      );
      return await beforeAbort(making, signal);
    },
  };
}
