import { lookUntil, type CallContext } from "@peerpods/cloud-providers";
import { innermost, type ArmAnswer, type ArmErrorBody } from "./answer.ts";
import { isGone, refusalError } from "./errors.ts";
import type { Parts } from "./parts.ts";
import type { Arm } from "./client.ts";

interface OperationState {
  readonly status?: string;
  readonly error?: ArmErrorBody;
}

/** Looks are never further apart than ARM says, nor closer than this. */
const MIN_PAUSE_MS = 1_000;

/**
 * Waits until what an answer has begun has ended, by the address in its `Azure-AsyncOperation` header, as often as
 * `Retry-After` says. Nothing goes on after an answer without that address.
 * @throws ProviderError with the code that fits ARM's reason when it failed.
 */
export async function untilDone(
  { clock, pollMs, arm }: Pick<Parts, "clock" | "pollMs"> & { readonly arm: Arm },
  { what, answer }: { readonly what: string; readonly answer: ArmAnswer<unknown> },
  call: CallContext,
): Promise<void> {
  const { operation } = answer;
  if (operation === undefined || answer.status === 204) return;
  let pauseMs = answer.retryAfterMs ?? pollMs;
  const look = async () => {
    await clock.sleep(Math.max(pauseMs, Math.min(MIN_PAUSE_MS, pollMs)), call);
    const seen = await arm
      .call<OperationState>("GetOperation", { path: operation }, call)
      .catch((error: unknown) => {
        // ARM forgets operations; one that it has forgotten is over.
        if (isGone(error)) return undefined;
        throw error;
      });
    if (seen === undefined) return true;
    pauseMs = seen.retryAfterMs ?? pauseMs;
    const { status = "", error } = seen.body;
    if (status === "Failed" || status === "Canceled")
      throw refusalError({ status: 0, ...innermost(error ?? { code: status }) }, { operation: what });
    // An address in `Location` alone answers 202 until it is done.
    return status === "Succeeded" || (status === "" && seen.status !== 202) ? true : undefined;
  };
  await lookUntil(what, look, { clock, pollMs: 0, signal: call.signal });
}
