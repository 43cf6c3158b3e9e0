import {
  lookUntil,
  ProviderError,
  type AttachedVolume,
  type CallContext,
  type CreateInstanceRequest,
} from "@peerpods/cloud-providers";
import type { Instance, Volume } from "@aws-sdk/client-ec2";
import type { Ec2 } from "./client.ts";
import { findInstance } from "./instances.ts";
import type { Parts } from "./parts.ts";

/** `/dev/xvdb` to `/dev/xvdz`, then `/dev/xvdba` to `/dev/xvdcz`: the names that EC2 takes beside the root's. */
export const MAX_VOLUMES = 25 + 2 * 26;

const letters = "abcdefghijklmnopqrstuvwxyz";

/** Device name of the data volume with this index, counted from 0. */
export function deviceName(index: number): string {
  if (index < 25) return `/dev/xvd${letters[index + 1]}`;
  const rest = index - 25;
  return `/dev/xvd${letters[1 + Math.floor(rest / 26)]}${letters[rest % 26]}`;
}

/** @throws ProviderError `invalid_request` for what cannot be volume ids, too many of them, or one twice. */
export function checkVolumeIds({ spec }: CreateInstanceRequest): void {
  const ids = spec.volumes.map(({ diskId }) => diskId);
  const problems = ids
    .filter((id) => !/^vol-[0-9a-f]{8,32}$/.test(id))
    .map((id) => `${JSON.stringify(id.slice(0, 80))} is not an EBS volume id`);
  if (new Set(ids).size < ids.length) problems.push("a volume is named twice");
  if (ids.length > MAX_VOLUMES)
    problems.push(`${ids.length} volumes are more than the ${MAX_VOLUMES} device names`);
  if (problems.length > 0) throw new ProviderError("invalid_request", problems.join("\n"));
}

/**
 * Checks that the volumes can be attached; those that this request's own instance has already are fine.
 * @throws ProviderError `not_found` or `invalid_request` with one line for each volume that is missing or in use.
 */
export async function checkVolumesFree(
  ec2: Ec2,
  { spec, token }: CreateInstanceRequest,
  call: CallContext,
): Promise<void> {
  const wanted = spec.volumes.map(({ diskId }) => diskId);
  if (wanted.length === 0) return;
  const volumes = await describeVolumes(ec2, wanted, call);
  const taken = volumes.filter(({ State }) => State !== "available");
  const own = taken.length === 0 ? undefined : await findInstance(ec2, { token }, call);
  const missing = wanted.filter((id) => !volumes.some(({ VolumeId }) => VolumeId === id));
  const problems = [
    ...missing.map((id) => `volume ${id} does not exist`),
    ...taken
      .filter((volume) => own?.InstanceId === undefined || holderOf(volume) !== own.InstanceId)
      .map(
        (volume) =>
          `volume ${volume.VolumeId} is ${volume.State}${holderOf(volume) === undefined ? "" : `, attached to ${holderOf(volume)}`}`,
      ),
  ];
  if (problems.length > 0)
    throw new ProviderError(missing.length > 0 ? "not_found" : "invalid_request", problems.join("\n"));
}

/** Attaches the volumes of a request in their order, except those that are attached, and waits until all of them are. */
export async function attachVolumes(
  { ec2, clock, pollMs }: Pick<Parts, "clock" | "pollMs"> & { readonly ec2: Ec2 },
  { instance, request }: { readonly instance: Instance; readonly request: CreateInstanceRequest },
  call: CallContext,
): Promise<void> {
  const InstanceId = instance.InstanceId ?? "";
  const there = new Set((instance.BlockDeviceMappings ?? []).map(({ Ebs }) => Ebs?.VolumeId));
  const wanted = request.spec.volumes.map(({ diskId }) => diskId);
  for (const [index, VolumeId] of wanted.entries())
    if (!there.has(VolumeId))
      await ec2.call("AttachVolume", { InstanceId, VolumeId, Device: deviceName(index) }, call);
  const look = async () => {
    const volumes = await describeVolumes(ec2, wanted, call);
    return volumes.filter((volume) => attachmentState(volume, InstanceId) === "attached").length ===
      wanted.length
      ? volumes
      : undefined;
  };
  await lookUntil(`volumes of ${InstanceId} are not attached`, look, { clock, pollMs, signal: call.signal });
}

/** Data volumes of an instance by the order of their device names. What goes with the instance is not one of them. */
export function attachedVolumesOf(instance: Instance | undefined): readonly AttachedVolume[] {
  const order = (device: string) => [device.length, device] as const;
  return (instance?.BlockDeviceMappings ?? [])
    .filter(
      ({ DeviceName, Ebs }) => DeviceName !== instance?.RootDeviceName && Ebs?.DeleteOnTermination !== true,
    )
    .map(({ DeviceName = "", Ebs }) => ({ device: DeviceName, diskId: Ebs?.VolumeId ?? "" }))
    .toSorted((a, b) => {
      const [[aLength, aName], [bLength, bName]] = [order(a.device), order(b.device)];
      return aLength - bLength || (aName < bName ? -1 : 1);
    });
}

/** By a filter, so that one that is missing does not hide what there is to say of the others. */
async function describeVolumes(
  ec2: Ec2,
  ids: readonly string[],
  call: CallContext,
): Promise<readonly Volume[]> {
  const { Volumes = [] } = await ec2.call(
    "DescribeVolumes",
    { Filters: [{ Name: "volume-id", Values: [...ids] }] },
    call,
  );
  return Volumes;
}

function holderOf({ Attachments = [] }: Volume): string | undefined {
  return Attachments[0]?.InstanceId;
}

function attachmentState({ Attachments = [] }: Volume, instanceId: string): string | undefined {
  return Attachments.find(({ InstanceId }) => InstanceId === instanceId)?.State;
}
