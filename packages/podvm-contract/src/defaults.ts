import { PodVMContractError } from "./errors.ts";

/** TCP port on which the agent-protocol-forwarder in the pod VM listens. */
export const DEFAULT_FORWARDER_PORT = 15150;

/** UDP port of the tunnel between worker node and pod VM. */
export const DEFAULT_VXLAN_PORT = 4789;

/** The tunnel of the pod with index `i` has this VXLAN network identifier plus `i`. */
export const DEFAULT_VXLAN_ID_BASE = 555_000;

/** VXLAN network identifiers have 24 bits (RFC 7348 section 5). */
export const MAX_VXLAN_ID = 0xff_ff_ff;

/** What VXLAN over IPv4 adds to a packet: outer IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14 bytes. */
export const VXLAN_IPV4_OVERHEAD_BYTES = 50;

/** A registry auth file above this size is left out of the user data. */
export const MAX_AUTH_JSON_BYTES = 12_288;

/** Server name in the forwarder's certificate when certificates are installed by hand instead of issued per pod. */
export const MANUAL_TLS_SERVER_NAME = "podvm-server";

/**
 * The VXLAN network identifier of a pod.
 * @throws PodVMContractError `out_of_range` when base plus index does not fit 24 bits or is not a whole number.
 */
export function vxlanIdOf(index: number, base: number = DEFAULT_VXLAN_ID_BASE): number {
  const id = base + index;
  if (!Number.isInteger(index) || !Number.isInteger(base) || index < 0 || base < 0 || id > MAX_VXLAN_ID) {
    throw new PodVMContractError(
      "out_of_range",
      `pod index ${index} on VXLAN id base ${base} is outside 0..${MAX_VXLAN_ID}; choose a lower base`,
    );
  }
  return id;
}
