import { ProviderError, matchesTags, type CallContext, type Tags } from "@peerpods/cloud-providers";
import { describeDomain, type DomainDescription } from "../domain/describe.ts";
import type { InstanceMetadata } from "../domain/metadata.ts";
import type { LibvirtHost } from "../host.ts";
import { unlessGone } from "../virsh/connection.ts";

/** A domain that carries our metadata. */
export type OwnDomain = DomainDescription & { readonly metadata: InstanceMetadata };

/** The domain with this UUID, or `undefined` when there is none. */
export async function findDomain(
  { connection }: LibvirtHost,
  id: string,
  call: CallContext,
): Promise<DomainDescription | undefined> {
  const xml = await unlessGone(connection.ask("dumpxml", ["--domain", id], call));
  return xml === undefined ? undefined : describeDomain(xml);
}

/** UUIDs of all domains of the host, running or not. */
export async function listDomainIds(
  { connection }: LibvirtHost,
  call: CallContext,
): Promise<readonly string[]> {
  const list = await connection.ask("list", ["--all", "--uuid"], call);
  return list
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

export function isOwn(domain: DomainDescription): domain is OwnDomain {
  return domain.metadata !== undefined;
}

/** @throws ProviderError `conflict` for a domain that is not ours, or another owner's. */
export function checkOwner(domain: DomainDescription, tags: Tags): void {
  if (!isOwn(domain))
    throw new ProviderError(
      "conflict",
      `domain ${domain.id} was not made by this provider and is left alone`,
    );
  if (matchesTags(domain.metadata.tags, tags)) return;
  throw new ProviderError(
    "conflict",
    `instance ${domain.id} carries the tags of another owner and is left alone`,
  );
}
