import {
  lookUntil,
  matchesTags,
  ProviderError,
  tagKeys,
  type CallContext,
  type DeleteInstanceRequest,
} from "@peerpods/cloud-providers";
import type { Instance } from "@aws-sdk/client-ec2";
import type { Ec2 } from "./client.ts";
import { isGone } from "./errors.ts";
import { describeInstances, findInstance, isGoneInstance } from "./instances.ts";
import type { Parts } from "./parts.ts";
import { removeLeftovers, removeNamedAddress } from "./leftovers.ts";
import { fromEc2Tags } from "./tags.ts";

/** How often an instance is looked for that may just have been made: EC2 does not list it at once. */
const LOOKS_FOR_NEW = 3;

/**
 * Deletes the instance, waits until EC2 calls it terminated, and then removes what was made with it and did not go.
 * @param options.mayBeNew a creation has just ended without an answer.
 */
export async function removeInstance(
  parts: Parts,
  request: DeleteInstanceRequest,
  { mayBeNew = false, ...call }: CallContext & { readonly mayBeNew?: boolean },
): Promise<void> {
  const { ec2 } = await parts.connect(call);
  const instance = await find(parts, ec2, { request, looks: mayBeNew ? LOOKS_FOR_NEW : 1, call });
  if (instance !== undefined) {
    checkOwner(instance, request);
    if (!isGoneInstance(instance)) await terminate(parts, { ec2, id: instance.InstanceId ?? "" }, call);
    if (hasOwnAddress(instance)) await removeNamedAddress(ec2, `eip-${instance.InstanceId}`, call);
  }
  const token = tokenOf(request, instance);
  if (token !== "") await removeLeftovers(parts, { ec2, token, tags: request.tags }, call);
}

async function find(
  { clock, pollMs }: Parts,
  ec2: Ec2,
  {
    request,
    looks,
    call,
  }: { readonly request: DeleteInstanceRequest; readonly looks: number; readonly call: CallContext },
): Promise<Instance | undefined> {
  for (let look = 1; ; look++) {
    const instance = await findInstance(ec2, request, call);
    if (instance !== undefined || look >= looks) return instance;
    await clock.sleep(pollMs, call);
  }
}

/** @throws ProviderError `conflict` for an instance that was made for somebody else, or by other means. */
function checkOwner(instance: Instance, { tags, token = "" }: DeleteInstanceRequest): void {
  const actual = fromEc2Tags(instance.Tags);
  // EC2 forgets the tags of terminated instances one by one.
  const wanted = isGoneInstance(instance)
    ? Object.fromEntries(Object.entries(tags).filter(([key]) => actual[key] !== undefined))
    : tags;
  const { ClientToken = "" } = instance;
  const ownToken = token === "" || ClientToken === "" || ClientToken === token;
  if (ownToken && matchesTags(actual, wanted)) return;
  throw new ProviderError(
    "conflict",
    `instance ${instance.InstanceId} carries the ${ownToken ? "tags" : "token"} of another owner and is left alone`,
  );
}

async function terminate(
  { clock, pollMs }: Parts,
  { ec2, id }: { readonly ec2: Ec2; readonly id: string },
  call: CallContext,
): Promise<void> {
  try {
    await ec2.call("TerminateInstances", { InstanceIds: [id] }, call);
  } catch (error) {
    if (isGone(error)) return;
    throw error;
  }
  const look = async () => {
    const [instance] = await describeInstances(ec2, [{ Name: "instance-id", Values: [id] }], call);
    return instance === undefined || isGoneInstance(instance) ? true : undefined;
  };
  // It takes EC2 longer than the way back and forth, so a look at once would be wasted.
  await clock.sleep(pollMs, call);
  await lookUntil(`instance ${id} is not terminated`, look, { clock, pollMs, signal: call.signal });
}

/** Whether a public address is on it that is not lent by Amazon. */
function hasOwnAddress({ NetworkInterfaces = [] }: Instance): boolean {
  return NetworkInterfaces.some(
    ({ Association }) => Association?.IpOwnerId !== undefined && Association.IpOwnerId !== "amazon",
  );
}

function tokenOf({ token = "", tags }: DeleteInstanceRequest, instance: Instance | undefined): string {
  return (
    token ||
    (instance === undefined ? "" : (fromEc2Tags(instance.Tags)[tagKeys.token] ?? "")) ||
    (tags[tagKeys.token] ?? "")
  );
}
