import type { CallContext, DeleteInstanceRequest, Tags } from "../../contract.ts";
import { ProviderError, isProviderError } from "../../errors.ts";
import { matchesTags, tagKeys } from "../../identity/instance-tags.ts";
import type { CloudInstance } from "../fake-cloud/model.ts";
import type { FakeClient } from "./client.ts";

/** Removes an instance with everything made for it, by id, token or both. What is gone is passed over. */
export async function removeInstance(
  client: FakeClient,
  request: DeleteInstanceRequest,
  call: CallContext,
): Promise<void> {
  const instances = await findInstances(client, request, call);
  for (const instance of instances) checkOwner(instance, request.tags);
  for (const { id, state } of instances)
    if (state !== "terminated")
      await unlessGone(client.call("terminateInstance", call, (cloud) => cloud.terminateInstance(id)));
  const token = tokenOf(request, instances);
  if (token === undefined) return;
  // What carries the token but another owner's tags is left alone, like an instance that does.
  const tags = { ...request.tags, [tagKeys.token]: token };
  const made = await client.call("describeResources", call, (cloud) => cloud.resources({ tags }));
  for (const { id } of made.interfaces)
    await unlessGone(client.call("deleteInterface", call, (cloud) => cloud.deleteInterface(id)));
  for (const { id } of made.addresses)
    await unlessGone(client.call("releaseAddress", call, (cloud) => cloud.releaseAddress(id)));
}

/** What exists under a token, as the cloud names it. */
export async function resourcesOf(
  client: FakeClient,
  token: string,
  call: CallContext,
): Promise<readonly string[]> {
  const tags = { [tagKeys.token]: token };
  const { interfaces, disks, addresses } = await client.call("describeResources", call, (cloud) =>
    cloud.resources({ tags }),
  );
  const instances = await client.call("describeInstances", call, (cloud) => cloud.instances({ tags }));
  const alive = instances.filter(({ state }) => state !== "terminated");
  return [...alive, ...interfaces, ...disks, ...addresses].map(({ id }) => id);
}

async function findInstances(
  client: FakeClient,
  { instanceId = "", token = "" }: DeleteInstanceRequest,
  call: CallContext,
): Promise<readonly CloudInstance[]> {
  const found = new Map<string, CloudInstance>();
  const look = async (filter: { id?: string; tags?: Tags }) => {
    const instances = await client.call("describeInstances", call, (cloud) => cloud.instances(filter));
    for (const instance of instances) found.set(instance.id, instance);
  };
  if (instanceId !== "") await look({ id: instanceId });
  if (token !== "" && found.size === 0) await look({ tags: { [tagKeys.token]: token } });
  return [...found.values()];
}

function checkOwner({ id, request }: CloudInstance, tags: Tags): void {
  if (matchesTags(request.tags, tags)) return;
  throw new ProviderError("conflict", `instance ${id} carries the tags of another owner and is left alone`);
}

function tokenOf(request: DeleteInstanceRequest, instances: readonly CloudInstance[]): string | undefined {
  if (request.token !== undefined && request.token !== "") return request.token;
  return instances[0]?.request.token ?? request.tags[tagKeys.token];
}

async function unlessGone(act: Promise<void>): Promise<void> {
  try {
    await act;
  } catch (error) {
    if (!isProviderError(error) || error.code !== "not_found") throw error;
  }
}
