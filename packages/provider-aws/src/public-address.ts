import {
  ProviderError,
  tagKeys,
  type CallContext,
  type CreateInstanceRequest,
} from "@peerpods/cloud-providers";
import type { Ec2 } from "./client.ts";
import { tagFilters, tagSpecification } from "./tags.ts";

/**
 * Gives an interface a public address. Allocating has no client token, so an address of an earlier, interrupted call is
 * looked for first, by its tag.
 */
export async function addPublicAddress(
  ec2: Ec2,
  {
    interfaceId,
    request,
    tags,
  }: {
    readonly interfaceId: string;
    readonly request: CreateInstanceRequest;
    readonly tags: Readonly<Record<string, string>>;
  },
  call: CallContext,
): Promise<void> {
  const { Addresses = [] } = await ec2.call(
    "DescribeAddresses",
    { Filters: tagFilters({ [tagKeys.token]: request.token }) },
    call,
  );
  const AllocationId =
    Addresses[0]?.AllocationId ??
    (
      await ec2.call(
        "AllocateAddress",
        { Domain: "vpc", TagSpecifications: [tagSpecification("elastic-ip", request.name, tags)] },
        call,
      )
    ).AllocationId;
  if (AllocationId === undefined)
    throw new ProviderError("internal", "EC2 allocated an address without an allocation id");
  await ec2.call(
    "AssociateAddress",
    { AllocationId, NetworkInterfaceId: interfaceId, AllowReassociation: true },
    call,
  );
}
