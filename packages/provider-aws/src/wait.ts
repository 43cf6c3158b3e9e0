import { ProviderError, type CallContext, type Clock } from "@peerpods/cloud-providers";
import type { Instance } from "@aws-sdk/client-ec2";
import { codeOfName } from "./errors.ts";
import { describeInstances } from "./instances.ts";
import type { Ec2 } from "./client.ts";
import type { Parts } from "./parts.ts";

/** Looks at most so often: with the usual pause, three quarters of an hour. Callers have a shorter deadline. */
const MAX_LOOKS = 900;

/**
 * Looks until there is an answer, with a pause before every look but the first.
 * @throws ProviderError `timeout` when it never comes; `signal.reason` on abort.
 */
export async function lookUntil<Result>(
  what: string,
  look: () => Promise<Result | undefined>,
  { clock, pollMs, signal }: { readonly clock: Clock; readonly pollMs: number; readonly signal: AbortSignal },
): Promise<Result> {
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    if (looks > 0) await clock.sleep(pollMs, { signal });
    const result = await look();
    if (result !== undefined) return result;
  }
  throw new ProviderError("timeout", `${what}: not after ${MAX_LOOKS} looks`);
}

/**
 * Waits until an instance runs and `ready` says that nothing is missing.
 * @throws ProviderError with the code that fits EC2's reason when the instance ends instead.
 */
export async function waitUntilRunning(
  { clock, pollMs, ec2 }: Pick<Parts, "clock" | "pollMs"> & { readonly ec2: Ec2 },
  { id, ready = () => true }: { readonly id: string; readonly ready?: (instance: Instance) => boolean },
  call: CallContext,
): Promise<Instance> {
  const look = async () => {
    const [instance] = await describeInstances(ec2, [{ Name: "instance-id", Values: [id] }], call);
    // A new instance may not be listed yet.
    if (instance === undefined) return undefined;
    const state = instance.State?.Name;
    if (state === "running") return ready(instance) ? instance : undefined;
    if (state === "pending") return undefined;
    throw endedWhileStarting(instance);
  };
  return await lookUntil(`instance ${id} does not run`, look, { clock, pollMs, signal: call.signal });
}

function endedWhileStarting({ InstanceId, State, StateReason }: Instance): ProviderError {
  const { Code = "", Message = "no reason given" } = StateReason ?? {};
  const code = codeOfName(Code.replace(/^(Server|Client)\./, "")) ?? "internal";
  return new ProviderError(
    code,
    `instance ${InstanceId} is ${State?.Name} instead of running: ${Code}: ${Message}`,
  );
}
