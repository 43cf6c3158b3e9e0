import { type PodNetworkConfig, VXLAN_IPV4_OVERHEAD_BYTES } from "@peerpods/podvm-contract";
import type { IpRoute2 } from "../driver/iproute2.ts";
import { failuresOf } from "../settle.ts";
import { addTunnelRules } from "../tunnel/notrack.ts";
import { undoTimeoutMs, undoneError } from "../undone.ts";
import { ensurePodLink } from "./link.ts";
import { ensureExternalNetwork } from "./move-external.ts";
import { type PodVMNetworkOptions, defaultPodNetns } from "./options.ts";
import { planPodLinkName, planPodNetwork } from "./plan.ts";
import { removePodVMNetwork } from "./tear-down.ts";
import { podVMTunnel } from "./tunnel.ts";
import { waitForUnderlay } from "./underlay.ts";

/**
 * Rebuilds the pod's network in the VM: waits for the VM's own network, makes the pod's interface in the containers'
 * namespace as the end of the tunnel, and adds address, routes and neighbours to it.
 *
 * Repeatable: a forwarder started again in the same VM keeps the link it finds, with all its connections, and brings
 * the rest up to date. A failed or aborted call that made the link removes it again.
 *
 * The interface's MTU is the worker's, at most the tunnel interface's less 50 bytes; there is no fixed limit of 1450.
 * @throws PodNetworkError `invalid_config`, `timeout`, `no_namespace`, `exists`, `no_address`, `command_failed`, ...
 * @throws the signal's reason
 */
export async function setUpPodVMNetwork(
  config: PodNetworkConfig,
  driver: IpRoute2,
  options: PodVMNetworkOptions,
): Promise<void> {
  const { signal, netnsPath: netns = defaultPodNetns } = options;
  const tunnel = podVMTunnel(config);
  const underlay = await waitForUnderlay(config.dedicated, driver, options);
  const mtu = Math.min(config.mtu || Infinity, underlay.mtu - VXLAN_IPV4_OVERHEAD_BYTES);
  const plan = planPodNetwork(config, { mtu });
  const isNew = await ensurePodLink(tunnel, driver, { netns, mtu, signal });
  const named = isNew ? [...planPodLinkName(tunnel), ...plan] : plan;
  try {
    const failures = await failuresOf([driver.ip(named, { netns }), addTunnelRules(tunnel, driver)]);
    if (failures.length > 0) throw failures[0];
    signal.throwIfAborted();
    if (config.externalNetViaPodVm) {
      await ensureExternalNetwork(driver, { podInterface: tunnel.interface, netns, signal });
    }
  } catch (error) {
    // What was there before this call carries a running pod: it stays.
    if (!isNew) throw error;
    const undo = { netns, signal: AbortSignal.timeout(undoTimeoutMs) };
    throw undoneError(error, await removePodVMNetwork(tunnel.vxlanId, driver, undo));
  }
}
