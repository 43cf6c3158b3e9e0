import {
  encodeUserData,
  isProviderError,
  lookUntil,
  ProviderError,
  type CallContext,
  type CreateInstanceRequest,
  type Instance,
  type Placement,
} from "@peerpods/cloud-providers";
import type { Ibmcloud } from "./client.ts";
import { removeInstance } from "./delete-instance.ts";
import { codeOfName, ibmcloudCodeOf } from "./errors.ts";
import { chooseImage } from "./images.ts";
import { addressesOf, findInstance, getInstance } from "./instances.ts";
import type { VpcInstance } from "./model.ts";
import type { Parts } from "./parts.ts";
import { placementOf } from "./placements.ts";
import {
  instancePrototype,
  requestDigest,
  userDataLimit,
  userTagsOf,
  type InstancePrototype,
} from "./prototype.ts";
import { REQUEST_KEY } from "./tags.ts";
import { checkVolumeIds, checkVolumesFree } from "./volumes.ts";

/** All that is decided before anything is made. */
export interface Creation {
  readonly request: CreateInstanceRequest;
  readonly prototype: InstancePrototype;
  readonly placement: Placement;
  /** Places to try one after the other: dedicated host, group of hosts; or anywhere. */
  readonly targets: readonly (string | undefined)[];
}

/**
 * Judges a request, first by itself and then by what IBM Cloud tells of profile, image and volumes. Makes nothing.
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
  const settings = await parts.settings(call);
  const { profile, ...placement } = await placementOf(parts, request, call);
  const { arch } = profile;
  const image = await chooseImage(
    parts.images,
    { wished: request.spec.image, configured: config.images, arch: request.spec.arch || arch },
    call,
  );
  await checkVolumesFree(await parts.ibmcloud(call), request, call);
  return {
    request,
    placement,
    prototype: instancePrototype(request, { config, settings, placement, image: image.id, arch }),
    targets: settings.dedicated.length === 0 ? [undefined] : settings.dedicated,
  };
}

/**
 * Makes what was planned, on the first target that takes it. Can be repeated, by this process or another.
 * @param onBegun called as soon as there may be something to undo.
 */
export async function carryOut(
  parts: Parts,
  { request, prototype, targets }: Creation,
  call: CallContext & { readonly onBegun: () => void },
): Promise<Instance> {
  for (const [index, target] of targets.entries()) {
    const place = target === undefined ? {} : { placement_target: { id: target } };
    try {
      return await makeInstance(parts, { request, body: { ...prototype, ...place } }, call);
    } catch (error) {
      if (index === targets.length - 1 || !mayFitElsewhere(error)) throw error;
      call.logger.warn(
        { err: error, target },
        "a dedicated host does not take the instance, its group is tried",
      );
      const { token, tags } = request;
      await removeInstance(parts, { token, tags }, call);
    }
  }
  throw new ProviderError("internal", "there is no target to try");
}

function mayFitElsewhere(error: unknown): boolean {
  return (
    isProviderError(error) &&
    ["no_capacity", "quota_exceeded", "invalid_request", "not_found"].includes(error.code)
  );
}

async function makeInstance(
  parts: Parts,
  { request, body }: { readonly request: CreateInstanceRequest; readonly body: object },
  { onBegun, ...call }: CallContext & { readonly onBegun: () => void },
): Promise<Instance> {
  const ibmcloud = await parts.ibmcloud(call);
  const made = await createOrFind(ibmcloud, { request, body }, { ...call, onUncertain: onBegun });
  onBegun();
  const instance = await untilPlaced(parts, { ibmcloud, made }, call);
  await attachTags(ibmcloud, { crn: instance.crn, tags: userTagsOf(request, parts.config) }, call);
  return { id: instance.id, name: request.name, addresses: addressesOf(instance) };
}

/** A name that is taken is this token's: the creation was asked for before, and its answer may have been lost. */
async function createOrFind(
  ibmcloud: Ibmcloud,
  { request, body }: { readonly request: CreateInstanceRequest; readonly body: object },
  call: CallContext & { readonly onUncertain: () => void },
): Promise<VpcInstance> {
  try {
    return await ibmcloud.call("create_instance", { body }, call);
  } catch (error) {
    if (ibmcloudCodeOf(error) !== "validation_unique_failed") throw error;
  }
  const { token } = request;
  const found = await findInstance(ibmcloud, { token }, call);
  const instance = found === undefined ? undefined : await getInstance(ibmcloud, found.id, call);
  if (found === undefined || instance === undefined)
    throw new ProviderError("unavailable", `the instance of token ${token} is there, but not listed`);
  if (found.tags[REQUEST_KEY] !== requestDigest(request))
    throw new ProviderError(
      "conflict",
      `token ${token} was used for another request, whose instance is ${found.id}`,
    );
  return instance;
}

/**
 * Waits until the addresses are known and the VPC has found a host: a zone that is full is said only then, with the status
 * `failed`. The guest's boot is not waited for.
 */
async function untilPlaced(
  { clock, pollMs }: Parts,
  { ibmcloud, made }: { readonly ibmcloud: Ibmcloud; readonly made: VpcInstance },
  call: CallContext,
): Promise<VpcInstance> {
  let seen: VpcInstance | undefined = made;
  const look = async () => {
    const instance = seen ?? (await getInstance(ibmcloud, made.id, call));
    seen = undefined;
    if (instance === undefined)
      throw new ProviderError("unavailable", `instance ${made.id} has vanished while it started`);
    checkAlive(instance);
    return instance.status !== "pending" && addressesOf(instance).length > 0 ? instance : undefined;
  };
  return await lookUntil(`instance ${made.id} has no host or address`, look, {
    clock,
    pollMs,
    signal: call.signal,
  });
}

function checkAlive({ id, status, status_reasons: reasons }: VpcInstance): void {
  if (status === "deleting" || status === "stopping" || status === "stopped")
    throw new ProviderError("conflict", `the instance ${id} of this token is ${status}`);
  if (status !== "failed") return;
  const { code = "", message = "no reason given" } = reasons[0] ?? {};
  throw new ProviderError(codeOfName(code) ?? "internal", `instance ${id} cannot start: ${code}: ${message}`);
}

async function attachTags(
  ibmcloud: Ibmcloud,
  { crn, tags }: { readonly crn: string; readonly tags: readonly string[] },
  call: CallContext,
): Promise<void> {
  const { results } = await ibmcloud.call(
    "attach_tag",
    { query: { tag_type: "user" }, body: { tag_names: tags, resources: [{ resource_id: crn }] } },
    call,
  );
  const failed = results.find(({ is_error: isError }) => isError === true);
  if (failed === undefined) return;
  throw new ProviderError(
    "unavailable",
    `attach_tag: ${crn} cannot be tagged: ${failed.message ?? "no reason given"}`,
  );
}
