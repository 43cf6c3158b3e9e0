import { createHash } from "node:crypto";
import { tagKeys, type Tags } from "@peerpods/cloud-providers";
import type { ResourceType, Tag, TagSpecification } from "@aws-sdk/client-ec2";

/** Tags of everything made for a request: the account's own, then the caller's, the token among them in any case. */
export function tagsFor(
  request: { readonly tags: Tags; readonly token: string },
  custom: Tags,
): Readonly<Record<string, string>> {
  return { ...custom, ...request.tags, [tagKeys.token]: request.token };
}

export function tagSpecification(type: ResourceType, name: string, tags: Tags): TagSpecification {
  return { ResourceType: type, Tags: toEc2Tags({ Name: name, ...tags }) };
}

function toEc2Tags(tags: Tags): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

export function fromEc2Tags(tags: readonly Tag[] = []): Tags {
  return Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
}

/** Filters that ask for resources with all of these tags. */
export function tagFilters(tags: Tags): { Name: string; Values: string[] }[] {
  return Object.entries(tags).map(([key, value]) => ({ Name: `tag:${key}`, Values: [literal(value)] }));
}

/** A filter's value: EC2 takes `*`, `?` and a backslash in it as wildcards. */
export function literal(value: string): string {
  return value.replaceAll(/[\\*?]/g, String.raw`\$&`);
}

/** Client token of a resource beside the instance. EC2 takes 64 characters. */
export function partToken(token: string, part: string): string {
  const readable = `${token}-${part}`;
  return readable.length <= 64 ? readable : createHash("sha256").update(readable).digest("hex");
}
