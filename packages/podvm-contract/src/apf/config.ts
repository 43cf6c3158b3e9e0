/** Where a route came from. Names as iproute2 prints them. */
export const routeProtocols = ["static", "boot", "dhcp", "kernel"] as const;
export type RouteProtocol = (typeof routeProtocols)[number];

/** How far a route's destination is away. `universe` is the default and is not written. */
export const routeScopes = ["universe", "site", "link", "host", "nowhere"] as const;
export type RouteScope = (typeof routeScopes)[number];

export const neighborStates = [
  "none",
  "incomplete",
  "reachable",
  "stale",
  "delay",
  "probe",
  "failed",
  "noarp",
  "permanent",
] as const;
export type NeighborState = (typeof neighborStates)[number];

/** One route of the pod's network namespace. Metric, table and source address are not part of the format. */
export interface PodRoute {
  /** Destination, e.g. `10.244.0.0/16`; a default route is `0.0.0.0/0`. */
  readonly dst: string;
  /** Gateway address; absent for an on-link route. */
  readonly gw?: string | undefined;
  readonly dev?: string | undefined;
  readonly protocol?: RouteProtocol | undefined;
  /** Absent means `universe`. */
  readonly scope?: RouteScope | undefined;
}

/** One neighbour entry of the pod's network namespace. */
export interface PodNeighbor {
  readonly ip: string;
  readonly hwAddr?: string | undefined;
  readonly dev?: string | undefined;
  readonly state: NeighborState;
}

/** The pod's network as the VM shall rebuild it, and the tunnel that carries it (`pod-network` in `apf.json`). */
export interface PodNetworkConfig {
  /** Pod address with prefix length, e.g. `10.244.0.7/24`; empty when unset. */
  readonly podIp: string;
  /** MAC address of the pod's interface, or empty. */
  readonly podHwAddr: string;
  /** Name of the pod's interface, e.g. `eth0`. */
  readonly interface: string;
  /** The worker's tunnel address with prefix length. */
  readonly workerNodeIp: string;
  /** `vxlan` is the only kind there is. */
  readonly tunnelType: string;
  readonly routes: readonly PodRoute[];
  readonly neighbors: readonly PodNeighbor[];
  /** Greatest packet, in bytes, that the pod's interface in the VM may send. 0 when unset. */
  readonly mtu: number;
  readonly index: number;
  /** UDP port. Absent when unset. */
  readonly vxlanPort?: number | undefined;
  /** VXLAN network identifier. Absent when unset. */
  readonly vxlanId?: number | undefined;
  /** The tunnel has a network interface of its own in the VM. */
  readonly dedicated: boolean;
  /** Traffic that leaves the cluster goes out through a second interface of the VM. */
  readonly externalNetViaPodVm: boolean;
}

/**
 * `apf.json`: what the daemon tells the agent-protocol-forwarder in the pod VM.
 * TLS texts are PEM. Absent and empty mean the same: not given.
 */
export interface ApfConfig {
  readonly podNetwork?: PodNetworkConfig | undefined;
  readonly podNamespace: string;
  readonly podName: string;
  /** PKCS#8. A secret. */
  readonly tlsServerKey?: string | undefined;
  readonly tlsServerCert?: string | undefined;
  /** Trust anchor for clients. Without it the forwarder must not serve TLS clients unchecked. */
  readonly tlsClientCa?: string | undefined;
  /** `VersionTLS12` or `VersionTLS13`; see `parseTlsProfile`. */
  readonly tlsMinVersion?: string | undefined;
  /** IANA names; see `parseTlsProfile`. */
  readonly tlsCipherSuites?: readonly string[] | undefined;
}
