import type { CallContext, CloudOperation, ProviderErrorCode } from "@peerpods/cloud-providers";
import type { Access } from "./access.ts";
import { toProviderError } from "./errors.ts";

/** A call's circumstances. */
export interface AwsCall extends CallContext {
  /** Hears of each try that ended without AWS' word on whether it acted. */
  readonly onUncertain?: () => void;
}

/** AWS answered nothing, or it answered that something broke on the way. */
const uncertain: ReadonlySet<ProviderErrorCode> = new Set(["unavailable", "timeout", "aborted", "internal"]);

/** Makes one call of an AWS API under the policy; whatever the SDK throws becomes a ProviderError. */
export async function callAws<Output extends { readonly $metadata: { readonly attempts?: number } }>(
  { policy, secrets }: Pick<Access, "policy" | "secrets">,
  {
    operation,
    send,
  }: {
    readonly operation: CloudOperation;
    readonly send: (signal: AbortSignal) => Promise<Output>;
  },
  { onUncertain, ...call }: AwsCall,
): Promise<Output> {
  return await policy.run(
    operation,
    async (one) => {
      try {
        const output = await send(one.signal);
        one.requests(output.$metadata.attempts ?? 1);
        return output;
      } catch (thrown) {
        one.requests(attemptsOf(thrown));
        const error = toProviderError(thrown, { operation: operation.name, secrets });
        if (uncertain.has(error.code)) onUncertain?.();
        throw error;
      }
    },
    call,
  );
}

function attemptsOf(thrown: unknown): number {
  const { $metadata } = (thrown ?? {}) as { readonly $metadata?: { readonly attempts?: number } };
  return $metadata?.attempts ?? 1;
}
