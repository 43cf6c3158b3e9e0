import {
  matchesTags,
  tagKeys,
  type CallContext,
  type InstanceRecord,
  type Tags,
} from "@peerpods/cloud-providers";
import type { Ibmcloud } from "./client.ts";
import { addressesOf, getInstance, holderOf, instancesIn, volumesWith } from "./instances.ts";
import type { VpcInstance } from "./model.ts";
import { fromUserTags, NAME_KEY, REQUEST_KEY, toUserTags } from "./tags.ts";

/** The VPC's states in ours. A machine that stops was not told to: it has ended, and stays until it is deleted. */
const states: Readonly<Record<string, InstanceRecord["state"]>> = {
  pending: "pending",
  starting: "pending",
  running: "running",
  deleting: "stopping",
  stopping: "stopping",
  stopped: "stopping",
};

/** With more instances than so many, the whole list costs fewer calls than one look at each. */
const FEW = 3;

/** What a list is narrowed down by in the cloud: the tag that the fewest have. */
const bySelectivity = [tagKeys.token, tagKeys.sandbox, tagKeys.pod, tagKeys.node, tagKeys.cluster] as const;

/** Instances with all of these tags. */
export async function listInstances(
  ibmcloud: Ibmcloud,
  { tags, vpc }: { readonly tags: Tags; readonly vpc: string },
  call: CallContext,
): Promise<readonly InstanceRecord[]> {
  const key = bySelectivity.find((one) => tags[one] !== undefined) ?? Object.keys(tags)[0];
  const [tag = ""] = key === undefined ? [] : toUserTags({ [key]: tags[key] ?? "" });
  const volumes = await volumesWith(ibmcloud, tag, call);
  const tagsById = new Map(
    volumes.flatMap((volume) => {
      const own = fromUserTags(volume.user_tags);
      return matchesTags(own, tags) ? [[holderOf(volume) ?? "", own] as const] : [];
    }),
  );
  const ids = [...tagsById.keys()];
  const instances =
    ids.length > FEW
      ? await instancesIn(ibmcloud, vpc, call)
      : await Promise.all(ids.map(async (id) => await getInstance(ibmcloud, id, call)));
  return instances.flatMap((instance) => {
    const own = instance === undefined ? undefined : tagsById.get(instance.id);
    return instance === undefined || own === undefined ? [] : [recordOf(instance, own)];
  });
}

export function recordOf(instance: VpcInstance, marked: Tags): InstanceRecord {
  const { [NAME_KEY]: name = instance.name, [REQUEST_KEY]: _request, ...tags } = marked;
  const createdAt = Date.parse(instance.created_at ?? "");
  return {
    id: instance.id,
    name,
    addresses: addressesOf(instance),
    state: states[instance.status] ?? "unknown",
    tags,
    ...(Number.isNaN(createdAt) ? {} : { createdAt }),
  };
}
