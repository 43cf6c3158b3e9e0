import {
  encodeUserData,
  ProviderError,
  type CallContext,
  type CreateInstanceRequest,
  type Instance,
  type Placement,
} from "@peerpods/cloud-providers";
import type { Instance as Ec2Instance, RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import type { Ec2 } from "./client.ts";
import { addressesOf } from "./instances.ts";
import type { ImageFacts } from "./images.ts";
import type { Parts } from "./parts.ts";
import { placementOf } from "./placements.ts";
import { addPublicAddress } from "./public-address.ts";
import { runRequest, shapesRootVolume, userDataLimit } from "./run-request.ts";
import { addSecondInterface } from "./second-interface.ts";
import type { Settings } from "./settings.ts";
import { tagsFor } from "./tags.ts";
import { attachVolumes, checkVolumeIds, checkVolumesFree } from "./volumes.ts";
import { waitUntilRunning } from "./wait.ts";

/** All that is decided before anything is made. */
export interface Creation {
  readonly request: CreateInstanceRequest;
  readonly run: RunInstancesCommandInput;
  readonly ec2: Ec2;
  readonly settings: Settings;
  readonly placement: Placement;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Judges a request, first by itself and then by what EC2 tells of its image, type and volumes. Makes nothing.
 * @throws ProviderError `invalid_request`, `invalid_config`, `not_found`.
 */
export async function planCreation(
  parts: Parts,
  request: CreateInstanceRequest,
  call: CallContext,
): Promise<Creation> {
  const { config } = parts;
  encodeUserData(request.userData, userDataLimit);
  checkVolumeIds(request);
  const { ec2, settings } = await parts.connect(call);
  const placement = await placementOf(parts, request, call);
  const image = await imageOf(parts, request, call);
  if (image !== undefined && config.launchTemplate === "")
    await checkArchitecture(parts, { image, instanceType: placement.instanceType }, call);
  const tags = tagsFor(request, config.tags);
  const facts = { config, settings, placement, tags, ...(image === undefined ? {} : { image }) };
  const run = runRequest(request, facts);
  await checkVolumesFree(ec2, request, call);
  return { request, run, ec2, settings, placement, tags };
}

/**
 * Makes what was planned. Every step of it can be repeated, by this process or another.
 * @param onBegun called as soon as there may be something to undo.
 */
export async function carryOut(
  parts: Parts,
  { request, run, ec2, settings, tags }: Creation,
  { onBegun, ...call }: CallContext & { readonly onBegun: () => void },
): Promise<Instance> {
  const { config } = parts;
  const { Instances = [] } = await ec2.call("RunInstances", run, { ...call, onUncertain: onBegun });
  onBegun();
  const [made] = Instances;
  const id = made?.InstanceId;
  if (made === undefined || id === undefined)
    throw new ProviderError("internal", "EC2 made an instance without an id");
  checkAlive(made, request);
  const instance = needsMore(parts, request, made)
    ? await waitUntilRunning(
        { ...parts, ec2 },
        { id, ready: (seen) => addressesOf(seen, config).length > 0 },
        call,
      )
    : made;
  if (request.spec.volumes.length > 0) await attachVolumes({ ...parts, ec2 }, { instance, request }, call);
  if (request.spec.multiNic) {
    const interfaceId = await addSecondInterface(ec2, { instance, request, settings, tags }, call);
    if (config.publicAddress) await addPublicAddress(ec2, { interfaceId, request, tags }, call);
  }
  return { id, name: request.name, addresses: addressesOf(instance, config) };
}

/** A token's instance that has ended is handed back by EC2 as if it had just been made. */
function checkAlive({ InstanceId, State }: Ec2Instance, { token }: CreateInstanceRequest): void {
  const state = State?.Name ?? "";
  if (!["shutting-down", "terminated", "stopping", "stopped"].includes(state)) return;
  throw new ProviderError("conflict", `the instance ${InstanceId} of token ${token} is ${state}`);
}

/** Whether the answer to RunInstances is not all that there is to say or do. */
function needsMore({ config }: Parts, { spec }: CreateInstanceRequest, made: Ec2Instance): boolean {
  return spec.multiNic || spec.volumes.length > 0 || addressesOf(made, config).length === 0;
}

/** Facts of the image where the call needs them: to shape the root volume, or to hold them against the type. */
async function imageOf(
  { config, images }: Parts,
  { spec }: CreateInstanceRequest,
  call: CallContext,
): Promise<ImageFacts | undefined> {
  const id = spec.image === "" ? config.image : spec.image;
  // A template's image is unknown here, and with it the name of the root device.
  const needed = config.launchTemplate === "" || shapesRootVolume(config.rootVolume);
  return id === "" || !needed ? undefined : await images.get(id, call);
}

async function checkArchitecture(
  parts: Parts,
  { image, instanceType }: { readonly image: ImageFacts; readonly instanceType: string },
  call: CallContext,
): Promise<void> {
  const type = (await parts.instanceTypes(call)).find(({ name }) => name === instanceType);
  const arch = type?.arch ?? "";
  if (image.arch === "" || arch === "" || image.arch === arch) return;
  throw new ProviderError(
    "invalid_request",
    `image ${image.id} is for ${image.arch}, but instance type ${instanceType} is ${arch}`,
  );
}
