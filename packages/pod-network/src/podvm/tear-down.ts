import type { PodNetworkConfig } from "@peerpods/podvm-contract";
import type { IpRoute2 } from "../driver/iproute2.ts";
import { PodNetworkError } from "../errors.ts";
import { failuresOf } from "../settle.ts";
import { removeTunnelRules } from "../tunnel/notrack.ts";
import { removePodLink } from "./link.ts";
import { type PodVMNetworkOptions, defaultPodNetns } from "./options.ts";
import { podVMTunnel } from "./tunnel.ts";

/**
 * Removes the pod's interface (with its addresses, routes and neighbours) and the tunnel's rules from the VM.
 * Repeatable, also when the containers' namespace is gone. An interface moved there for the external network stays;
 * the next set-up finds it.
 * @throws PodNetworkError `tear_down_incomplete` with what remains in `errors`; the signal's reason
 */
export async function tearDownPodVMNetwork(
  config: PodNetworkConfig,
  driver: IpRoute2,
  { signal, netnsPath: netns = defaultPodNetns }: Pick<PodVMNetworkOptions, "signal" | "netnsPath">,
): Promise<void> {
  const { vxlanId } = podVMTunnel(config);
  const remains = await removePodVMNetwork(vxlanId, driver, { netns, signal });
  signal.throwIfAborted();
  if (remains.length === 0) return;
  throw new PodNetworkError(
    "tear_down_incomplete",
    `the pod's network could not be removed from the VM: ${remains.map(String).join("; ")}`,
    { errors: remains },
  );
}

/** Removes each part whatever becomes of the other, and returns the failures. */
export async function removePodVMNetwork(
  vxlanId: number,
  driver: IpRoute2,
  { netns, signal }: { readonly netns: string; readonly signal: AbortSignal },
): Promise<readonly unknown[]> {
  return failuresOf([removePodLink(vxlanId, driver, { netns, signal }), removeTunnelRules(vxlanId, driver)]);
}
