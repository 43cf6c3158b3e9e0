import type { Buffer } from "node:buffer";
import type { OpenTarget } from "../target.ts";

/** An input may take this long. Everything that is parsed has limits that keep it far below. */
export const inputTimeoutMs = 5_000;

/** An input that a target must not have reacted to as it did. */
export interface Finding {
  readonly input: Buffer;
  readonly error: unknown;
}

/** Gives one input to the target. Answers the finding, if it is one: something was thrown, or it took too long. */
export async function runInput(target: OpenTarget, input: Buffer): Promise<Finding | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const startedMs = performance.now();
    const running = target.take(input);
    if (running !== undefined) {
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(tooLong()), inputTimeoutMs);
      });
      await Promise.race([running, late]);
    }
    return performance.now() - startedMs > inputTimeoutMs ? { input, error: tooLong() } : undefined;
  } catch (error) {
    return { input, error };
  } finally {
    clearTimeout(timer);
  }
}

function tooLong(): Error {
  return new Error(`the input took longer than ${inputTimeoutMs} ms`);
}
