import { matchesTags, type CallContext, type InstanceRecord, type Tags } from "@peerpods/cloud-providers";
import type { Instance } from "@aws-sdk/client-ec2";
import type { Ec2 } from "./client.ts";
import { addressesOf, describeInstances } from "./instances.ts";
import { fromEc2Tags, tagFilters } from "./tags.ts";

/** EC2's states in ours. A machine that stops was not told to: it has ended, and stays until it is deleted. */
const states: Readonly<Record<string, InstanceRecord["state"]>> = {
  pending: "pending",
  running: "running",
  "shutting-down": "stopping",
  stopping: "stopping",
  stopped: "stopping",
  terminated: "gone",
};

/** Instances with all of these tags that are not terminated. */
export async function listInstances(
  ec2: Ec2,
  { tags, publicAddress }: { readonly tags: Tags; readonly publicAddress: boolean },
  call: CallContext,
): Promise<readonly InstanceRecord[]> {
  const alive = {
    Name: "instance-state-name",
    Values: ["pending", "running", "shutting-down", "stopping", "stopped"],
  };
  const instances = await describeInstances(ec2, [...tagFilters(tags), alive], call);
  return instances
    .map((instance) => recordOf(instance, { publicAddress }))
    .filter((record) => matchesTags(record.tags, tags));
}

export function recordOf(instance: Instance, wish: { readonly publicAddress: boolean }): InstanceRecord {
  const { Name = "", ...tags } = fromEc2Tags(instance.Tags);
  return {
    id: instance.InstanceId ?? "",
    name: Name,
    addresses: addressesOf(instance, wish),
    state: states[instance.State?.Name ?? ""] ?? "unknown",
    tags,
    ...(instance.LaunchTime === undefined ? {} : { createdAt: instance.LaunchTime.getTime() }),
  };
}
