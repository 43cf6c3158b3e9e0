import type { CallContext, CreateInstanceRequest, Instance, Placement } from "../../contract.ts";
import { ProviderError } from "../../errors.ts";
import { tagKeys } from "../../identity/instance-tags.ts";
import type { Clock } from "../../clock.ts";
import { encodeUserData } from "../../user-data/encode-user-data.ts";
import type { CloudInstance, RunInstanceRequest } from "../fake-cloud/model.ts";
import type { ClientCall, FakeClient } from "./client.ts";
import type { FakeConfig } from "./options.ts";

/** What a creation works with. */
export interface CreateParts {
  readonly client: FakeClient;
  readonly config: FakeConfig;
  readonly clock: Clock;
}

/** What is asked of the cloud, all of it decided before the first call. */
export interface CreatePlan {
  readonly run: RunInstanceRequest;
  readonly request: CreateInstanceRequest;
}

/** @throws ProviderError `invalid_request` for user data that the cloud would not take. */
export function planCreation(
  request: CreateInstanceRequest,
  placement: Placement,
  config: FakeConfig,
): CreatePlan {
  const { token, name, spec, userData } = request;
  const run = {
    token,
    name,
    type: placement.instanceType,
    zone: placement.zone,
    image: spec.image === "" ? config.image : spec.image,
    userData: encodeUserData(userData, { carrier: "the fake cloud", encoding: "base64", maxBytes: 16_384 }),
    tags: tagsOf(request),
    spot: spec.spot === true,
  };
  return { run, request };
}

/** The act itself, every step of which can be repeated. Undoing is the caller's, once `onTry` was called. */
export async function carryOut(
  parts: CreateParts,
  plan: CreatePlan,
  { onTry, ...call }: ClientCall,
): Promise<Instance> {
  const { client, config } = parts;
  const { run, request } = plan;
  await checkVolumes(client, request, call);
  const { id, state } = await client.call(
    "runInstance",
    onTry === undefined ? call : { ...call, onTry },
    (cloud) => cloud.runInstance(run),
  );
  if (state === "terminated")
    throw new ProviderError("conflict", `the instance ${id} of token ${request.token} has ended`);
  if (request.spec.multiNic) await addInterface(client, { id, request }, call);
  if (config.publicIp) await addAddress(client, { id, request }, call);
  for (const { diskId } of request.spec.volumes)
    await client.call("attachVolume", call, (cloud) => cloud.attachVolume({ id: diskId, instanceId: id }));
  const running = await waitUntilRunning(parts, id, call);
  return { id, name: request.name, addresses: running.addresses };
}

interface Made {
  readonly id: string;
  readonly request: CreateInstanceRequest;
}

async function addInterface(
  client: FakeClient,
  { id: instanceId, request }: Made,
  call: CallContext,
): Promise<void> {
  const asked = { token: `${request.token}-nic`, tags: tagsOf(request) };
  const { id } = await client.call("createInterface", call, (cloud) => cloud.createInterface(asked));
  await client.call("attachInterface", call, (cloud) => cloud.attachInterface({ id, instanceId }));
}

/** An address has no token, so an earlier, interrupted creation's is looked for first. */
async function addAddress(
  client: FakeClient,
  { id: instanceId, request }: Made,
  call: CallContext,
): Promise<void> {
  const tags = { [tagKeys.token]: request.token };
  const known = await client.call(
    "describeResources",
    call,
    (cloud) => cloud.resources({ tags }).addresses[0],
  );
  const { id } =
    known ?? (await client.call("allocateAddress", call, (cloud) => cloud.allocateAddress(tagsOf(request))));
  await client.call("associateAddress", call, (cloud) => cloud.associateAddress({ id, instanceId }));
}

async function checkVolumes(
  client: FakeClient,
  request: CreateInstanceRequest,
  call: CallContext,
): Promise<void> {
  const wanted = request.spec.volumes.map(({ diskId }) => diskId);
  if (wanted.length === 0) return;
  const tags = { [tagKeys.token]: request.token };
  const { volumes, own } = await client.call("describeVolumes", call, (cloud) => ({
    volumes: wanted.map((id) => ({ id, state: cloud.volumes.get(id) })),
    own: cloud.instances({ tags }).map(({ id }) => id),
  }));
  const problems = volumes.flatMap(({ id, state }) => {
    if (state === undefined) return [`volume ${id} does not exist`];
    const { instanceId } = state;
    return instanceId === undefined || own.includes(instanceId)
      ? []
      : [`volume ${id} is attached to ${instanceId}`];
  });
  if (problems.length > 0) throw new ProviderError("invalid_request", problems.join("\n"));
}

async function waitUntilRunning(
  { client, clock, config }: CreateParts,
  id: string,
  call: CallContext,
): Promise<CloudInstance> {
  for (;;) {
    const [instance] = await client.call("describeInstances", call, (cloud) => cloud.instances({ id }));
    if (instance?.state === "running") return instance;
    if (instance?.state !== "pending")
      throw new ProviderError("internal", `instance ${id} ended while it booted`);
    await clock.sleep(config.pollMs, call);
  }
}

/** The caller's tags, and the token among them even if the caller did not put it there: removal looks for it. */
function tagsOf({ tags, token }: CreateInstanceRequest): Readonly<Record<string, string>> {
  return { ...tags, [tagKeys.token]: token };
}
