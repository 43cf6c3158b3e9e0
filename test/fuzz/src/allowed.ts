/** Runs a call that may be refused with one kind of error only. Anything else that is thrown goes on. */
export function refusedAs<T>(call: () => T, isRefusal: (error: unknown) => boolean): T | undefined {
  try {
    return call();
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/** The same for a call that waits. */
export async function refusedAsync<T>(
  call: () => Promise<T>,
  isRefusal: (error: unknown) => boolean,
): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/** Stands in inputs where secrets do; no message may have it. */
export const canary = "c4n4rys3cret";

/** @throws Error if the message of a refusal, or of one of its causes, has the canary. */
export function requireNoSecret(error: unknown): void {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current.message.includes(canary)) throw new Error(`a secret is in the message: ${current.message}`);
  }
}

/** @throws Error naming what does not hold. */
export function require(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`does not hold: ${what}`);
}
