import type { CallPolicy, CloudOperation } from "../../call-policy/call-policy.ts";
import type { CallContext } from "../../contract.ts";
import type { Account } from "../fake-cloud/account.ts";
import type { FakeCloud } from "../fake-cloud/fake-cloud.ts";
import type { ApiStep } from "../fake-cloud/model.ts";
import { toProviderError } from "./errors.ts";

export interface ClientCall extends CallContext {
  /** Called when a try really goes out to the cloud; a call that our own limits refuse never does. */
  readonly onTry?: () => void;
}

/** The provider's side of the cloud's API: errors converted, calls under the policy if there is one. */
export interface FakeClient {
  call<Result>(step: ApiStep, call: ClientCall, act: (account: Account) => Result): Promise<Result>;
}

/** Without an idempotency token: asked twice, it gives two. */
const unrepeatable: ReadonlySet<ApiStep> = new Set(["allocateAddress"]);

export function createFakeClient(
  cloud: FakeCloud,
  { accessKey, policy }: { readonly accessKey: string; readonly policy?: CallPolicy },
): FakeClient {
  return {
    async call(step, call, act) {
      const attempt = async ({ signal }: { readonly signal: AbortSignal }) => {
        call.onTry?.();
        try {
          return await cloud.request(step, { accessKey, signal }, act);
        } catch (error) {
          throw toProviderError(error);
        }
      };
      if (policy === undefined) return await attempt(call);
      const operation: CloudOperation = {
        name: step,
        repeat: unrepeatable.has(step) ? "once" : "repeatable",
        begins: step === "runInstance",
      };
      return await policy.run(operation, attempt, call);
    },
  };
}
