import {
  ProviderError,
  type AttachedVolume,
  type CallContext,
  type CloudVolume,
} from "@peerpods/cloud-providers";
import { describeDomain, type DomainDescription, type DomainDisk } from "../domain/describe.ts";
import type { DataVolume } from "../domain/domain-xml.ts";
import type { LibvirtHost } from "../host.ts";
import { findVolume } from "../storage/volumes.ts";
import { unlessGone } from "../virsh/connection.ts";
import { listDomainIds } from "./look.ts";

/** Enough to be quick, few enough not to be taken for an attack by an SSH server. */
const AT_ONCE = 4;

/**
 * The data volumes, after it was seen that they exist and no other domain has them.
 * @throws ProviderError `not_found`, `invalid_request`
 */
export async function checkDataVolumes(
  host: LibvirtHost,
  { volumes, id }: { readonly volumes: readonly CloudVolume[]; readonly id: string },
  call: CallContext,
): Promise<readonly DataVolume[]> {
  if (volumes.length === 0) return [];
  const { connection, config } = host;
  const found = [];
  for (const { diskId } of volumes)
    found.push(await findVolume(connection, { pool: config.pool, name: diskId }, call));
  const users = (await allDomains(host, call)).filter((domain) => domain.id !== id);
  const problems = found.flatMap(({ name, path }) => {
    const user = users.find(({ disks }) =>
      disks.some((disk) => isVolume(disk, { name, path, pool: config.pool })),
    );
    return user === undefined ? [] : [`volume ${name} is attached to domain ${user.id}`];
  });
  if (problems.length > 0) throw new ProviderError("invalid_request", problems.join("\n"));
  return found.map(({ name, format }) => ({ name, format }));
}

/** Data volumes of a domain, in their order. */
export function dataVolumesOf({ disks }: DomainDescription): readonly AttachedVolume[] {
  return disks
    .filter(({ volume }) => volume !== "")
    .map(({ volume, target }) => ({ diskId: volume, device: `/dev/${target}` }));
}

/** Every domain of the host. One that goes meanwhile is left out. */
export async function allDomains(
  host: LibvirtHost,
  call: CallContext,
): Promise<readonly DomainDescription[]> {
  const ids = [...(await listDomainIds(host, call))];
  const domains: DomainDescription[] = [];
  const read = async () => {
    for (let id = ids.shift(); id !== undefined; id = ids.shift()) {
      const xml = await unlessGone(host.connection.ask("dumpxml", ["--domain", id], call));
      if (xml !== undefined) domains.push(describeDomain(xml));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, read));
  return domains;
}

function isVolume(disk: DomainDisk, volume: { name: string; path: string; pool: string }): boolean {
  if (disk.volume !== "") return disk.volume === volume.name && disk.pool === volume.pool;
  return disk.path === volume.path;
}
