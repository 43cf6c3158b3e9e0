import { lookUntil, tagKeys, type CallContext, type Tags } from "@peerpods/cloud-providers";
import type { Address, NetworkInterface, TagDescription, Volume } from "@aws-sdk/client-ec2";
import type { Ec2 } from "./client.ts";
import { isGone } from "./errors.ts";
import type { Parts } from "./parts.ts";
import { literal, tagFilters } from "./tags.ts";

/** Whose leftovers are meant. */
export interface LeftoverOwner {
  readonly ec2: Ec2;
  readonly token: string;
  /** What carries the token but another value for one of these is another's, and left alone. */
  readonly tags: Tags;
}

/**
 * Removes addresses, interfaces and volumes that carry the token and did not go with the instance. One read finds out that
 * there are none, which is the usual case.
 */
export async function removeLeftovers(
  { clock, pollMs }: Pick<Parts, "clock" | "pollMs">,
  owner: LeftoverOwner,
  call: CallContext,
): Promise<void> {
  const look = async () => ((await removeOnce(owner, call)) ? true : undefined);
  await lookUntil(`what carries the token ${owner.token} does not go`, look, {
    clock,
    pollMs,
    signal: call.signal,
  });
}

/** Ids of everything that carries a token and costs something, for a person who must clean up. */
export async function leftoversOf(ec2: Ec2, token: string, call: CallContext): Promise<readonly string[]> {
  const tagged = await taggedResources(ec2, token, call);
  return tagged.flatMap(({ ResourceId }) => ResourceId ?? []);
}

/** The reference names an address after its instance and gives it no other tag. */
export async function removeNamedAddress(ec2: Ec2, name: string, call: CallContext): Promise<void> {
  const { Addresses = [] } = await ec2.call(
    "DescribeAddresses",
    { Filters: tagFilters({ Name: name }) },
    call,
  );
  for (const address of Addresses) await releaseAddress(ec2, address, call);
}

/** @returns whether nothing is left to wait for. */
async function removeOnce({ ec2, token, tags }: LeftoverOwner, call: CallContext): Promise<boolean> {
  const tagged = await taggedResources(ec2, token, call);
  const filters = (type: string, idFilter: string) => {
    const ids = tagged.flatMap(({ ResourceType, ResourceId }) =>
      ResourceType === type && ResourceId !== undefined ? [ResourceId] : [],
    );
    return ids.length === 0 ? undefined : [{ Name: idFilter, Values: ids }, ...tagFilters(tags)];
  };
  let done = true;
  const addresses = filters("elastic-ip", "allocation-id");
  if (addresses !== undefined) {
    const { Addresses = [] } = await ec2.call("DescribeAddresses", { Filters: addresses }, call);
    for (const address of Addresses) await releaseAddress(ec2, address, call);
  }
  const interfaces = filters("network-interface", "network-interface-id");
  if (interfaces !== undefined) {
    const answer = await ec2.call("DescribeNetworkInterfaces", { Filters: interfaces }, call);
    for (const card of answer.NetworkInterfaces ?? [])
      done = (await deleteInterface(ec2, card, call)) && done;
  }
  const volumes = filters("volume", "volume-id");
  if (volumes !== undefined) {
    const { Volumes = [] } = await ec2.call("DescribeVolumes", { Filters: volumes }, call);
    for (const volume of Volumes) done = (await deleteVolume(ec2, volume, call)) && done;
  }
  return done;
}

async function taggedResources(
  ec2: Ec2,
  token: string,
  call: CallContext,
): Promise<readonly TagDescription[]> {
  const { Tags: tagged = [] } = await ec2.call(
    "DescribeTags",
    {
      Filters: [
        { Name: "key", Values: [tagKeys.token] },
        { Name: "value", Values: [literal(token)] },
        { Name: "resource-type", Values: ["elastic-ip", "network-interface", "volume"] },
      ],
    },
    call,
  );
  return tagged;
}

async function releaseAddress(ec2: Ec2, address: Address, call: CallContext): Promise<void> {
  const { AssociationId = "", AllocationId } = address;
  if (AssociationId !== "") await unlessGone(ec2.call("DisassociateAddress", { AssociationId }, call));
  await unlessGone(ec2.call("ReleaseAddress", { AllocationId }, call));
}

async function deleteInterface(ec2: Ec2, card: NetworkInterface, call: CallContext): Promise<boolean> {
  const { Attachment: { AttachmentId, DeleteOnTermination } = {}, NetworkInterfaceId } = card;
  if (AttachmentId === undefined) {
    await unlessGone(ec2.call("DeleteNetworkInterface", { NetworkInterfaceId }, call));
    return true;
  }
  // It goes by itself; EC2 calls the instance terminated a little earlier.
  if (DeleteOnTermination !== true && card.Status !== "detaching")
    await unlessGone(ec2.call("DetachNetworkInterface", { AttachmentId, Force: true }, call));
  return false;
}

async function deleteVolume(ec2: Ec2, { VolumeId, State }: Volume, call: CallContext): Promise<boolean> {
  if (State === "deleting" || State === "deleted") return true;
  if (State === "in-use" || State === "creating") return false;
  await unlessGone(ec2.call("DeleteVolume", { VolumeId }, call));
  return true;
}

async function unlessGone(act: Promise<unknown>): Promise<void> {
  try {
    await act;
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
