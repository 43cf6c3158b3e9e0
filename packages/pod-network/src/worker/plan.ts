import { isIPv4 } from "node:net";
import { MAX_VXLAN_ID, isInterfaceName } from "@peerpods/podvm-contract";
import type { RouteAnswer } from "../driver/answers.ts";
import { type Command, command } from "../driver/batch.ts";
import { PodNetworkError } from "../errors.ts";
import { type TunnelEnd, addVxlanLink } from "../tunnel/vxlan.ts";

/** The worker's end of one pod's tunnel: all that set-up and tear-down need to know, in any process. */
export interface WorkerTunnel extends TunnelEnd {
  /** Path of the pod's network namespace. */
  readonly netnsPath: string;
  /** The pod's interface in it (`interface` of `PodNetworkConfig`). */
  readonly interface: string;
  /** MTU of the tunnel (`mtu` of `PodNetworkConfig`). */
  readonly mtu: number;
}

/** Name of the tunnel's link in the pod's namespace. */
export const workerLinkName = "vxlan1";

/**
 * In the machine's own namespace: asks for the way to the VM, and makes the link. That fails if another tunnel has the
 * id, which makes it the claim. The one answer is the route, for {@link refuseOwnAddress}.
 */
export function planLink(tunnel: WorkerTunnel): readonly Command[] {
  return [
    command`route get ${tunnel.remote}`,
    addVxlanLink({ ...tunnel, name: workerLinkName, netns: tunnel.netnsPath }),
  ];
}

/**
 * Refuses an address of this machine as the VM's, loopback or any other: what is sent there comes back into the pod's
 * bridge, and out again, a storm that takes the machine. The kernel tells, since it alone knows all that is local.
 * @throws PodNetworkError `invalid_config`
 */
export function refuseOwnAddress({ remote }: WorkerTunnel, routes: readonly RouteAnswer[]): void {
  if (routes.every(({ type }) => type !== "local")) return;
  throw new PodNetworkError(
    "invalid_config",
    `worker tunnel: remote ${remote} is an address of this machine, so the tunnel would end in itself; ` +
      "the provider must report the address of the VM",
  );
}

/** In the pod's namespace: what enters the pod's interface leaves by the tunnel, and the other way round. */
export function planRedirects(tunnel: WorkerTunnel): readonly Command[] {
  return [...redirect(tunnel.interface, workerLinkName), ...redirect(workerLinkName, tunnel.interface)];
}

/** In the pod's namespace: takes the redirect off the pod's interface. */
export function planRedirectRemoval(podInterface: string): readonly Command[] {
  return [command`qdisc del dev ${podInterface} ingress`];
}

/** @throws PodNetworkError `invalid_config` naming the field */
export function validateTunnel(tunnel: WorkerTunnel): void {
  const wrong = [
    tunnel.netnsPath.startsWith("/") ? "" : "netnsPath must be an absolute path",
    isInterfaceName(tunnel.interface) && tunnel.interface !== workerLinkName
      ? ""
      : "interface cannot be used",
    isIPv4(tunnel.remote) ? "" : "remote must be an IPv4 address",
    isWithin(tunnel.vxlanId, 1, MAX_VXLAN_ID) ? "" : "vxlanId must be 1..16777215",
    isWithin(tunnel.vxlanPort, 1, 65_535) ? "" : "vxlanPort must be 1..65535",
    isWithin(tunnel.mtu, 68, 65_535) ? "" : "mtu must be 68..65535",
  ].filter((finding) => finding !== "");
  if (wrong.length > 0) throw new PodNetworkError("invalid_config", `worker tunnel: ${wrong.join("; ")}`);
}

function isWithin(value: number, minimum: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= minimum && value <= maximum;
}

function redirect(from: string, to: string): readonly Command[] {
  return [
    command`qdisc add dev ${from} ingress`,
    command`filter add dev ${from} parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev ${to}`,
  ];
}
