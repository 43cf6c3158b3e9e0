import {
  ProviderError,
  type CallContext,
  type InstanceReference,
  type Tags,
} from "@peerpods/cloud-providers";
import type { Ibmcloud } from "./client.ts";
import { isGone } from "./errors.ts";
import { vpcNameOf } from "./instance-name.ts";
import type { VpcInstance, VpcVolume } from "./model.ts";
import { EGRESS_INTERFACE } from "./prototype.ts";
import { fromUserTags, tokenTag } from "./tags.ts";

/** Ids of instances: number of the zone, then a UUID. */
export const instanceIdForm = /^[0-9a-z]{4}[-_][0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const PAGE_SIZE = 100;
/** Pages of an answer that are read before it is given up. */
const MAX_PAGES = 200;

/** An instance that was found, and what it is marked with. */
export interface Found {
  readonly id: string;
  readonly tags: Tags;
}

/**
 * The instance that is meant. Its boot volume carries all tags from its first moment on, so that one look finds
 * the instance of a token and says whose it is. Where that volume is not there (not yet, or not any more), the instance is
 * looked up by the name that its token gives it, or by its id.
 */
export async function findInstance(
  ibmcloud: Ibmcloud,
  { instanceId = "", token = "" }: InstanceReference,
  call: CallContext,
): Promise<Found | undefined> {
  if (token !== "") {
    const [volume] = await volumesWith(ibmcloud, tokenTag(token), call);
    const id = volume === undefined ? undefined : holderOf(volume);
    if (volume !== undefined && id !== undefined) return { id, tags: fromUserTags(volume.user_tags) };
    const { instances } = await ibmcloud.call(
      "list_instances",
      { query: { name: vpcNameOf(token), limit: 1 } },
      call,
    );
    const [named] = instances;
    if (named !== undefined) return { id: named.id, tags: await tagsOfInstance(ibmcloud, named, call) };
  }
  if (instanceId === "") return undefined;
  const instance = await getInstance(ibmcloud, instanceId, call);
  return instance === undefined
    ? undefined
    : { id: instance.id, tags: await tagsOfInstance(ibmcloud, instance, call) };
}

/** One instance by id, or `undefined` when it is gone or never was. */
export async function getInstance(
  ibmcloud: Ibmcloud,
  id: string,
  call: CallContext,
): Promise<VpcInstance | undefined> {
  try {
    return await ibmcloud.call("get_instance", { id }, call);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Boot volumes with a tag, and with an instance. */
export async function volumesWith(
  ibmcloud: Ibmcloud,
  tag: string,
  call: CallContext,
): Promise<readonly VpcVolume[]> {
  const volumes = await allPages(async (page) => {
    const { volumes: items, next } = await ibmcloud.call("list_volumes", { query: { tag, ...page } }, call);
    return { items, next };
  });
  return volumes.filter((volume) => holderOf(volume) !== undefined);
}

/** All instances of a VPC. */
export async function instancesIn(
  ibmcloud: Ibmcloud,
  vpc: string,
  call: CallContext,
): Promise<readonly VpcInstance[]> {
  const query = vpc === "" ? {} : { "vpc.id": vpc };
  return await allPages(async (page) => {
    const { instances: items, next } = await ibmcloud.call(
      "list_instances",
      { query: { ...query, ...page } },
      call,
    );
    return { items, next };
  });
}

/** The instance that a boot volume belongs to. */
export function holderOf({ volume_attachments: attachments }: VpcVolume): string | undefined {
  return attachments.find(({ type }) => type === "boot")?.instance?.id;
}

/**
 * Addresses of the interfaces that the worker uses, the dialled one first. Empty as long as one of them is not known: the VPC
 * says `0.0.0.0` at first.
 */
export function addressesOf(instance: VpcInstance): readonly string[] {
  const interfaces = interfacesOf(instance).filter(({ name }) => name !== EGRESS_INTERFACE);
  const addresses = interfaces
    .map(({ primary_ip: ip }) => ip?.address)
    .filter((address): address is string => address !== undefined && address !== "" && address !== "0.0.0.0");
  return addresses.length === interfaces.length ? addresses : [];
}

/** The primary interface, then the others in the order in which they were asked for: tunnel, egress. */
export function interfacesOf({ primary_network_interface: primary, network_interfaces: all }: VpcInstance) {
  const others = all
    .filter(({ id }) => id !== primary?.id)
    .toSorted((a, b) => Number(a.name === EGRESS_INTERFACE) - Number(b.name === EGRESS_INTERFACE));
  return primary === undefined ? others : [primary, ...others];
}

async function tagsOfInstance(ibmcloud: Ibmcloud, instance: VpcInstance, call: CallContext): Promise<Tags> {
  const volume = instance.boot_volume_attachment?.volume?.id;
  if (volume !== undefined) {
    try {
      return fromUserTags((await ibmcloud.call("get_volume", { id: volume }, call)).user_tags);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  const { items } = await ibmcloud.call(
    "list_tags",
    { query: { attached_to: instance.crn, tag_type: "user", limit: 100 } },
    call,
  );
  return fromUserTags(items.map(({ name }) => name));
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: { readonly href: string } | undefined;
}

async function allPages<Item>(
  read: (page: Readonly<Record<string, string | number>>) => Promise<Page<Item>>,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let start: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await read({ limit: PAGE_SIZE, ...(start === undefined ? {} : { start }) });
    items.push(...page.items);
    const next =
      page.next === undefined ? null : new URL(page.next.href, "http://vpc/").searchParams.get("start");
    if (next === null) return items;
    start = next;
  }
  throw new ProviderError("internal", `IBM Cloud lists more than ${MAX_PAGES} pages`);
}
