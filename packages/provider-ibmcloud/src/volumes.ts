import {
  isProviderError,
  ProviderError,
  type AttachedVolume,
  type CallContext,
  type CreateInstanceRequest,
} from "@peerpods/cloud-providers";
import type { Ibmcloud } from "./client.ts";
import { resourceIdForm } from "./config.ts";
import { findInstance } from "./instances.ts";
import type { VpcInstance, VpcVolume } from "./model.ts";

/** The VPC attaches at most twelve volumes beside the boot volume. */
export const MAX_VOLUMES = 12;

/** @throws ProviderError `invalid_request` for what cannot be volume ids, too many of them, or one twice. */
export function checkVolumeIds({ spec }: CreateInstanceRequest): void {
  const ids = spec.volumes.map(({ diskId }) => diskId);
  const problems = ids
    .filter((id) => !resourceIdForm.test(id))
    .map((id) => `${JSON.stringify(id.slice(0, 80))} is not a volume id`);
  if (new Set(ids).size < ids.length) problems.push("a volume is named twice");
  if (ids.length > MAX_VOLUMES)
    problems.push(`${ids.length} volumes are more than the ${MAX_VOLUMES} that an instance can have`);
  if (problems.length > 0) throw new ProviderError("invalid_request", problems.join("\n"));
}

/**
 * Checks that the volumes can be attached; those that this request's own instance has already are fine.
 * @throws ProviderError `not_found` or `invalid_request` with one line for each volume that is missing or in use.
 */
export async function checkVolumesFree(
  ibmcloud: Ibmcloud,
  { spec, token }: CreateInstanceRequest,
  call: CallContext,
): Promise<void> {
  if (spec.volumes.length === 0) return;
  const volumes = await Promise.all(
    spec.volumes.map(async ({ diskId: id }) => ({ id, volume: await getVolume(ibmcloud, id, call) })),
  );
  const missing = volumes.filter(({ volume }) => volume === undefined);
  const taken = volumes.filter(
    ({ volume }) =>
      volume !== undefined && (volume.status !== "available" || volume.volume_attachments.length > 0),
  );
  const own = taken.length === 0 ? undefined : await findInstance(ibmcloud, { token }, call);
  const problems = [
    ...missing.map(({ id }) => `volume ${id} does not exist`),
    ...taken
      .filter(({ volume }) => own === undefined || holder(volume) !== own.id)
      .map(
        ({ id, volume }) => `volume ${id} is ${volume?.status}, attached to ${holder(volume) ?? "nothing"}`,
      ),
  ];
  if (problems.length > 0)
    throw new ProviderError(missing.length > 0 ? "not_found" : "invalid_request", problems.join("\n"));
}

/** Data volumes of an instance in the order in which they were asked for. */
export function attachedVolumesOf(instance: VpcInstance | undefined): readonly AttachedVolume[] {
  return (instance?.volume_attachments ?? [])
    .filter(({ name }) => /^data-\d\d$/.test(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ volume, device }) => ({
      diskId: volume?.id ?? "",
      ...(device === undefined ? {} : { device: device.id }),
    }));
}

async function getVolume(ibmcloud: Ibmcloud, id: string, call: CallContext): Promise<VpcVolume | undefined> {
  try {
    return await ibmcloud.call("get_volume", { id }, call);
  } catch (error) {
    if (isProviderError(error) && error.code === "not_found") return undefined;
    throw error;
  }
}

function holder(volume: VpcVolume | undefined): string | undefined {
  return volume?.volume_attachments[0]?.instance?.id;
}
