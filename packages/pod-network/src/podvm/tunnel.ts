import { isIPv4 } from "node:net";
import {
  MAX_VXLAN_ID,
  type PodNetworkConfig,
  isInterfaceName,
  isMacAddress,
  parseCidr,
} from "@peerpods/podvm-contract";
import { PodNetworkError } from "../errors.ts";
import type { TunnelEnd } from "../tunnel/vxlan.ts";

/** The VM's end of the tunnel as `apf.json` describes it, checked. */
export interface PodVMTunnel extends TunnelEnd {
  /** Name of the link in the containers' namespace: the pod interface's. */
  readonly interface: string;
  /** Pod address with prefix length. */
  readonly podIp: string;
  readonly hwAddr: string;
}

/**
 * Takes from the pod network configuration what the tunnel needs.
 * @throws PodNetworkError `invalid_config` listing every key that is missing or cannot be used
 */
export function podVMTunnel(config: PodNetworkConfig): PodVMTunnel {
  const { vxlanId = 0, vxlanPort = 0 } = config;
  const remote = addressOf(config.workerNodeIp);
  const wrong = [
    config.tunnelType === "vxlan" ? "" : "tunnel-type must be vxlan",
    isInterfaceName(config.interface) ? "" : "interface is missing",
    parseCidr(config.podIp)?.family === 4 ? "" : "podip must be an IPv4 address with prefix length",
    config.podHwAddr === "" || isMacAddress(config.podHwAddr) ? "" : "pod-hw-addr must be a MAC address",
    isIPv4(remote) ? "" : "worker-node-ip must be an IPv4 address with prefix length",
    vxlanPort >= 1 && vxlanPort <= 65_535 ? "" : "vxlan-port must be 1..65535",
    vxlanId >= 1 && vxlanId <= MAX_VXLAN_ID ? "" : "vxlan-id must be 1..16777215",
  ].filter((finding) => finding !== "");
  if (wrong.length > 0)
    throw new PodNetworkError("invalid_config", `pod-network of apf.json: ${wrong.join("; ")}`);
  return {
    interface: config.interface,
    podIp: config.podIp,
    hwAddr: config.podHwAddr,
    remote,
    vxlanId,
    vxlanPort,
  };
}

function addressOf(cidr: string): string {
  return parseCidr(cidr)?.address ?? "";
}
