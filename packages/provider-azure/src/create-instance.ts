import {
  encodeUserData,
  isProviderError,
  ProviderError,
  type CallContext,
  type CreateInstanceRequest,
  type Instance,
  type Placement,
} from "@peerpods/cloud-providers";
import type { ArmAnswer } from "./answer.ts";
import type { Arm } from "./client.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { imageReference } from "./image-reference.ts";
import { findMachine } from "./instances.ts";
import { machineRequest, userDataLimit } from "./machine-request.ts";
import { machineNameOf, resourceId } from "./names.ts";
import { makeNetwork, type MakingCall, type Network } from "./network.ts";
import type { Parts } from "./parts.ts";
import { placementOf } from "./placements.ts";
import { machineTags, ownTagKeys } from "./tags.ts";
import { checkVolumeIds, checkVolumesFree } from "./volumes.ts";
import type { Machine } from "./wire.ts";

/** All that is decided before anything is made. */
export interface Creation {
  readonly request: CreateInstanceRequest;
  readonly arm: Arm;
  readonly placement: Placement;
  /** Name of the machine. */
  readonly machine: string;
  readonly sshKey: string;
}

/** A machine that ARM has accepted. */
export interface Made {
  readonly instance: Instance;
  /** ARM's answer, by which the rest can be watched. */
  readonly answer: ArmAnswer<unknown> | undefined;
}

/**
 * Judges a request, first by itself and then by what Azure tells of its size and volumes. Makes nothing.
 * @throws ProviderError `invalid_request`, `invalid_config`, `not_found`.
 */
export async function planCreation(
  parts: Parts,
  request: CreateInstanceRequest,
  call: CallContext,
): Promise<Creation> {
  const { config } = parts;
  const { spec } = request;
  encodeUserData(request.userData, userDataLimit);
  imageReference(spec.image === "" ? config.image : spec.image);
  checkVolumeIds(request);
  checkTags(request, config.tags);
  const arm = await parts.connect(call);
  const [{ size, placement }, sshKey] = await Promise.all([
    placementOf(parts, request, call),
    parts.sshKey(call),
  ]);
  if (spec.multiNic && size.maxInterfaces < 2)
    throw new ProviderError("invalid_request", `size ${size.name} takes one network interface only`);
  if (spec.volumes.length > 0) await checkVolumesFree(arm, { request, config, size, placement }, call);
  return { request, arm, placement, sshKey, machine: machineNameOf(request.token) };
}

/**
 * Makes what was planned: the interfaces, then the machine that takes them along when it goes. ARM answers once it has
 * accepted the machine; the guest is not waited for. Every step of it can be repeated, by this process or another.
 */
export async function carryOut(parts: Parts, creation: Creation, call: MakingCall): Promise<Made> {
  const { request, arm, machine } = creation;
  const network = await makeNetwork({ ...parts, arm }, { request, machine }, call);
  const answer = await makeMachine(parts, { ...creation, network }, call);
  const id = resourceId(parts.config, "machine", machine);
  return { answer, instance: { id, name: request.name, addresses: network.addresses } };
}

async function makeMachine(
  { config }: Parts,
  { request, arm, machine, placement, sshKey, network }: Creation & { readonly network: Network },
  call: CallContext,
): Promise<ArmAnswer<unknown> | undefined> {
  const { interfaces } = network;
  const body = machineRequest(request, { config, placement, machine, interfaces, sshKey });
  const path = resourceId(config, "machine", machine);
  try {
    return await arm.call("PutMachine", { path, body, onlyNew: true }, call);
  } catch (error) {
    if (!isProviderError(error) || error.code !== "conflict") throw error;
    const existing = await findMachine(arm, path, call);
    if (existing === undefined)
      throw new ProviderError(
        "unavailable",
        `machine ${machine}, or what is to be its interface, is just going away`,
        { cause: error },
      );
    checkSame(existing, request);
    return undefined;
  }
}

/** @throws ProviderError `conflict` for the machine of another request, or one that has ended. */
function checkSame({ tags = {}, properties }: Machine, request: CreateInstanceRequest): void {
  const { token } = request;
  if (tags[ownTagKeys.request] !== fingerprintOf(request))
    throw new ProviderError("conflict", `token ${token} was used for another request`);
  const state = properties?.provisioningState ?? "";
  if (state === "Deleting" || state === "Failed")
    throw new ProviderError("conflict", `the machine of token ${token} is in state ${state}`);
}

function checkTags(request: CreateInstanceRequest, custom: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(machineTags(request, custom)))
    if (
      /[<>%&\\?/]/.test(key) ||
      /^(microsoft|azure|windows)/i.test(key) ||
      value.length > 256 ||
      key.length > 512
    )
      throw new ProviderError(
        "invalid_request",
        `tag ${JSON.stringify(key.slice(0, 80))} is none that Azure takes`,
      );
}
