import { command } from "../driver/batch.ts";
import type { IpRoute2 } from "../driver/iproute2.ts";
import { PodNetworkError } from "../errors.ts";
import { failuresOf } from "../settle.ts";
import {
  type ExternalInterface,
  chooseExternalInterface,
  hasExternalNetwork,
  planExternalNetwork,
  planMove,
  planRestore,
} from "./external.ts";

interface Place {
  readonly podInterface: string;
  readonly netns: string;
  readonly signal: AbortSignal;
}

/**
 * Gives the containers' namespace the VM's second interface and the default route over it. Repeatable: what an
 * earlier run moved is left as it is. A failure moves the interface back.
 */
export async function ensureExternalNetwork(
  driver: IpRoute2,
  { podInterface, netns, signal }: Place,
): Promise<void> {
  const defaults = command`route show default table main`;
  const [podRoutes] = await driver.queryIp([defaults], { netns, signal });
  if (hasExternalNetwork(podRoutes, podInterface)) return;
  const [routes, links] = await driver.queryIp([defaults, command`addr show`], { ipv4: true, signal });
  const external = chooseExternalInterface(routes, links);
  await driver.ip(planMove(external, netns));
  try {
    await driver.ip(planExternalNetwork(external), { netns });
    signal.throwIfAborted();
  } catch (error) {
    const remains = await failuresOf([moveBack(external, driver, netns)]);
    if (remains.length === 0) throw error;
    const message = `external network through the pod VM failed, and ${external.name} could not be moved back`;
    throw new PodNetworkError("command_failed", message, { cause: error, errors: remains });
  }
}

async function moveBack(external: ExternalInterface, driver: IpRoute2, netns: string): Promise<void> {
  await driver.ip(planMove(external, driver.hostNetns), { netns });
  await driver.ip(planRestore(external));
}
