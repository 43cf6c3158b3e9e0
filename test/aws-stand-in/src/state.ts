import type { Moto } from "./moto.ts";
import { itemsOf, parseAnswer, textOf, type Xml } from "./xml.ts";
import type { Query } from "./query.ts";

/** What the proxy knows and moto does not. */
export class State {
  readonly moto: Moto;
  /** What a token was used for, by action and token. */
  readonly tokens = new Map<string, { readonly fingerprint: string; readonly id: string }>();
  /** Attachments that go with their instance. */
  readonly deletedWithInstance = new Set<string>();
  readonly confidential = new Set<string>();
  /** Public addresses that were allocated; all others are lent by Amazon. */
  readonly allocated = new Set<string>();
  /** Network interfaces of launch templates, by name. */
  readonly templates = new Map<string, Query>();
  /** Answers about types, images, subnets, groups and keys, which nothing takes away. */
  readonly seen = new Map<string, string>();
  /** Placements without machines: type and zone. */
  readonly exhausted = new Set<string>();
  /** How many listings a new instance is missing from, and how many are still to come for each. */
  invisibleReads = 0;
  readonly hidden = new Map<string, number>();

  constructor(moto: Moto) {
    this.moto = moto;
  }

  clear(): void {
    for (const set of [this.deletedWithInstance, this.confidential, this.allocated, this.exhausted])
      set.clear();
    for (const map of [this.tokens, this.templates, this.hidden, this.seen]) map.clear();
    this.invisibleReads = 0;
  }

  async instances(parameters: Query): Promise<readonly Xml[]> {
    const found: Xml[] = [];
    for (let next = ""; ;) {
      const page = next === "" ? parameters : { ...parameters, NextToken: next };
      const answer = parseAnswer(await this.moto.call("DescribeInstances", page));
      for (const reservation of itemsOf(answer, "reservationSet"))
        found.push(...itemsOf(reservation, "instancesSet"));
      next = textOf(answer, "nextToken");
      if (next === "") return found;
    }
  }

  async interfaces(parameters: Query): Promise<readonly Xml[]> {
    const answer = parseAnswer(await this.moto.call("DescribeNetworkInterfaces", parameters));
    return itemsOf(answer, "networkInterfaceSet");
  }

  async addresses(parameters: Query): Promise<readonly Xml[]> {
    return itemsOf(parseAnswer(await this.moto.call("DescribeAddresses", parameters)), "addressesSet");
  }

  async volumes(parameters: Query): Promise<readonly Xml[]> {
    return itemsOf(parseAnswer(await this.moto.call("DescribeVolumes", parameters)), "volumeSet");
  }

  async createTags(
    id: string,
    tags: readonly { readonly key: string; readonly value: string }[],
  ): Promise<void> {
    if (tags.length === 0) return;
    const pairs = tags.flatMap(({ key, value }, index) => [
      [`Tag.${index + 1}.Key`, key],
      [`Tag.${index + 1}.Value`, value],
    ]);
    await this.moto.call("CreateTags", { "ResourceId.1": id, ...Object.fromEntries(pairs) });
  }

  /** moto keeps the tags of what is gone. */
  async forgetTags(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const tags = itemsOf(
        parseAnswer(
          await this.moto.call("DescribeTags", { "Filter.1.Name": "resource-id", "Filter.1.Value.1": id }),
        ),
        "tagSet",
      );
      const pairs = tags.map((tag, index) => [`Tag.${index + 1}.Key`, textOf(tag, "key")]);
      if (pairs.length > 0)
        await this.moto.call("DeleteTags", { "ResourceId.1": id, ...Object.fromEntries(pairs) });
    }
  }
}
