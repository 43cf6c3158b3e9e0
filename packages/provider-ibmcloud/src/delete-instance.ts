import {
  lookUntil,
  matchesTags,
  ProviderError,
  tagKeys,
  type CallContext,
  type DeleteInstanceRequest,
} from "@peerpods/cloud-providers";
import type { Ibmcloud } from "./client.ts";
import { isGone } from "./errors.ts";
import { findInstance, getInstance, type Found } from "./instances.ts";
import type { Parts } from "./parts.ts";

/** How often an instance is looked for that may just have been made. */
const LOOKS_FOR_NEW = 3;

/**
 * Deletes the instance and waits until the VPC knows it no more. Interfaces and boot volume go with it; data volumes stay.
 * @param options.mayBeNew a creation has just ended without an answer.
 */
export async function removeInstance(
  parts: Parts,
  request: DeleteInstanceRequest,
  { mayBeNew = false, ...call }: CallContext & { readonly mayBeNew?: boolean },
): Promise<void> {
  const ibmcloud = await parts.ibmcloud(call);
  const found = await find(parts, ibmcloud, { request, looks: mayBeNew ? LOOKS_FOR_NEW : 1, call });
  if (found === undefined) return;
  checkOwner(found, request);
  if (await isDeletedAtOnce(ibmcloud, found.id, call)) return;
  // It takes the VPC longer than the way back and forth, so a look at once would be wasted.
  await parts.clock.sleep(parts.pollMs, call);
  const look = async () => ((await getInstance(ibmcloud, found.id, call)) === undefined ? true : undefined);
  await lookUntil(`instance ${found.id} is not deleted`, look, { ...parts, signal: call.signal });
}

async function find(
  { clock, pollMs }: Parts,
  ibmcloud: Ibmcloud,
  {
    request,
    looks,
    call,
  }: { readonly request: DeleteInstanceRequest; readonly looks: number; readonly call: CallContext },
): Promise<Found | undefined> {
  for (let look = 1; ; look++) {
    const found = await findInstance(ibmcloud, request, call);
    if (found !== undefined || look >= looks) return found;
    await clock.sleep(pollMs, call);
  }
}

/** @throws ProviderError `conflict` for an instance that was made for somebody else, or by other means. */
function checkOwner({ id, tags: actual }: Found, { tags, token = "" }: DeleteInstanceRequest): void {
  const ownToken = token === "" || (actual[tagKeys.token] ?? token) === token;
  if (ownToken && matchesTags(actual, tags)) return;
  throw new ProviderError(
    "conflict",
    `instance ${id} carries the ${ownToken ? "tags" : "token"} of another owner and is left alone`,
  );
}

/** Asks for the deletion. @returns whether there is nothing to wait for. */
async function isDeletedAtOnce(ibmcloud: Ibmcloud, id: string, call: CallContext): Promise<boolean> {
  try {
    await ibmcloud.call("delete_instance", { id }, call);
    return false;
  } catch (error) {
    if (isGone(error)) return true;
    call.signal.throwIfAborted();
    // One that is being deleted already is refused.
    const instance = await getInstance(ibmcloud, id, call).catch(() => {
      throw error;
    });
    if (instance === undefined) return true;
    if (instance.status === "deleting") return false;
    throw error;
  }
}
