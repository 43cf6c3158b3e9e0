import { hasInventory, silentLogger, tagKeys, type Provider } from "@peerpods/cloud-providers";
import { causeLine } from "./command-error.ts";

/** What a sweep found in the cloud, and what it could not delete. */
export interface Swept {
  /** False when the provider cannot list, so nothing is known. */
  readonly looked: boolean;
  readonly found: readonly string[];
  /** Ids with the reason. */
  readonly stayed: readonly string[];
}

const CALL_TIMEOUT_MS = 600_000;

/**
 * Looks for instances that carry one of these cluster ids, deletes them, and tells both. Has a connection and time of its own:
 * the answer is the cloud's and nobody's memory, and what was interrupted is swept all the same.
 */
export async function sweepClusters(
  connect: () => Promise<Provider>,
  clusterIds: Iterable<string>,
): Promise<Swept> {
  const provider = await connect();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => provider.teardown());
  if (!hasInventory(provider)) return { looked: false, found: [], stayed: [] };
  const call = () => ({ signal: AbortSignal.timeout(CALL_TIMEOUT_MS), logger: silentLogger });
  const found: string[] = [];
  const stayed: string[] = [];
  for (const clusterId of clusterIds) {
    for (const { id, state, tags } of await provider.listInstances(
      { [tagKeys.cluster]: clusterId },
      call(),
    )) {
      if (state === "gone") continue;
      found.push(id);
      const { [tagKeys.token]: token = "" } = tags;
      await provider
        .deleteInstance({ instanceId: id, token, tags }, call())
        .catch((error: unknown) => stayed.push(`${id}: ${causeLine(error)}`));
    }
  }
  return { looked: true, found, stayed };
}
