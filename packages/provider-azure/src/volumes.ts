import {
  ProviderError,
  type AttachedVolume,
  type CallContext,
  type CreateInstanceRequest,
  type Placement,
} from "@peerpods/cloud-providers";
import type { Arm } from "./client.ts";
import type { AzureConfig } from "./config.ts";
import { isGone } from "./errors.ts";
import { nameOf, sameId, resourceId, machineNameOf } from "./names.ts";
import type { Size } from "./sizes.ts";
import type { Disk, Machine } from "./wire.ts";

/** The most that any size takes; a size may take fewer. */
export const MAX_VOLUMES = 64;

const diskIdForm =
  /^\/subscriptions\/[0-9a-f-]{36}\/resourceGroups\/[\w().-]{1,90}\/providers\/Microsoft\.Compute\/disks\/[\w.-]{1,80}$/i;

/** @throws ProviderError `invalid_request` for ids that are none, twice the same, or too many. */
export function checkVolumeIds({ spec }: CreateInstanceRequest): void {
  const ids = spec.volumes.map(({ diskId }) => diskId);
  if (ids.length > MAX_VOLUMES)
    throw invalid(`${ids.length} volumes; a machine takes at most ${MAX_VOLUMES}`);
  for (const id of ids)
    if (!diskIdForm.test(id))
      throw invalid(`volume ${JSON.stringify(id.slice(0, 120))} is no resource id of a disk`);
  if (new Set(ids.map((id) => id.toLowerCase())).size < ids.length) throw invalid("a volume is named twice");
}

/** Looks at all volumes at once, and reports together what is wrong with them. @throws ProviderError `not_found`, `invalid_request`. */
export async function checkVolumesFree(
  arm: Arm,
  {
    request,
    config,
    size,
    placement,
  }: {
    readonly request: CreateInstanceRequest;
    readonly config: AzureConfig;
    readonly size: Size;
    readonly placement: Placement;
  },
  call: CallContext,
): Promise<void> {
  const ids = request.spec.volumes.map(({ diskId }) => diskId);
  if (ids.length > size.maxDisks)
    throw invalid(`${ids.length} volumes; size ${size.name} takes at most ${size.maxDisks}`);
  const own = resourceId(config, "machine", machineNameOf(request.token));
  const found = await Promise.all(
    ids.map(async (id) => {
      const disk = await arm.call<Disk>("GetDisk", { path: id }, call).catch((error: unknown) => {
        if (isGone(error)) return undefined;
        throw error;
      });
      return { id, disk: disk?.body };
    }),
  );
  const missing = found.filter(({ disk }) => disk === undefined).map(({ id }) => nameOf(id));
  if (missing.length > 0) throw new ProviderError("not_found", `volume ${missing.join(", ")} does not exist`);
  const problems = found.flatMap(
    ({ id, disk }) => problemOf(disk ?? {}, { id, own, config, placement }) ?? [],
  );
  if (problems.length > 0) throw invalid(problems.join("\n"));
}

function problemOf(
  disk: Disk,
  {
    id,
    own,
    config,
    placement,
  }: {
    readonly id: string;
    readonly own: string;
    readonly config: AzureConfig;
    readonly placement: Placement;
  },
): string | undefined {
  const name = nameOf(id);
  const holder = disk.managedBy ?? disk.properties?.managedBy ?? "";
  const state = disk.properties?.diskState ?? "Unattached";
  // The machine itself has it already when the same creation comes again.
  if (holder !== "" && !sameId(holder, own)) return `volume ${name} is attached to ${nameOf(holder)}`;
  if (holder === "" && state !== "Unattached") return `volume ${name} is ${state}`;
  const region = (disk.location ?? "").toLowerCase().replaceAll(" ", "");
  if (region !== "" && region !== config.region)
    return `volume ${name} is in region ${region}, pod VMs are in ${config.region}`;
  const [zone] = disk.zones ?? [];
  if (zone !== undefined && zone !== placement.zone)
    return `volume ${name} is in zone ${zone}, the machine would be in ${placement.zone === "" ? "none" : placement.zone}`;
  return undefined;
}

/** Data volumes of a machine in the order of their LUNs. */
export function attachedVolumesOf(machine: Machine | undefined): readonly AttachedVolume[] {
  const disks = machine?.properties?.storageProfile?.dataDisks ?? [];
  return disks
    .toSorted((a, b) => (a.lun ?? 0) - (b.lun ?? 0))
    .map(({ lun, managedDisk }) => ({ diskId: managedDisk?.id ?? "", device: `lun${lun ?? 0}` }));
}

function invalid(message: string): ProviderError {
  return new ProviderError("invalid_request", message);
}
