import { lookUntil, ProviderError, type CallContext } from "@peerpods/cloud-providers";
import type { Instance } from "@aws-sdk/client-ec2";
import { codeOfName } from "./errors.ts";
import { describeInstances } from "./instances.ts";
import type { Ec2 } from "./client.ts";
import type { Parts } from "./parts.ts";

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
