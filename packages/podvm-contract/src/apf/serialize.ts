import type { ApfConfig, PodNeighbor, PodNetworkConfig, PodRoute } from "./config.ts";

/**
 * Writes `apf.json` byte for byte as the reference daemon does: its key order, four spaces, no final newline,
 * `<`, `>`, `&` and the two Unicode line separators escaped, empty lists as `null`, a default route as
 * `::ffff:0.0.0.0/0`. Any forwarder reads it.
 */
export function serializeApfConfig(config: ApfConfig): string {
  const document = {
    "pod-network": config.podNetwork === undefined ? null : podNetwork(config.podNetwork),
    "pod-namespace": config.podNamespace,
    "pod-name": config.podName,
    "tls-server-key": unlessEmpty(config.tlsServerKey),
    "tls-server-cert": unlessEmpty(config.tlsServerCert),
    "tls-client-ca": unlessEmpty(config.tlsClientCa),
    "tls-min-version": unlessEmpty(config.tlsMinVersion),
    "tls-cipher-suites": listOrNull(config.tlsCipherSuites ?? []) ?? undefined,
  };
  return JSON.stringify(document, (_key, value: unknown) => wellFormed(value), 4).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function podNetwork(network: PodNetworkConfig): object {
  return {
    podip: network.podIp,
    "pod-hw-addr": network.podHwAddr,
    interface: network.interface,
    "worker-node-ip": network.workerNodeIp,
    "tunnel-type": network.tunnelType,
    routes: listOrNull(network.routes.map(route)),
    neighbors: listOrNull(network.neighbors.map(neighbor)),
    mtu: network.mtu,
    index: network.index,
    "vxlan-port": unlessZero(network.vxlanPort),
    "vxlan-id": unlessZero(network.vxlanId),
    dedicated: network.dedicated,
    "external-net-via-pod-vm": network.externalNetViaPodVm,
  };
}

function route({ dst, gw, dev, protocol, scope }: PodRoute): object {
  return {
    dst: dst === "0.0.0.0/0" || dst === "" ? "::ffff:0.0.0.0/0" : dst,
    gw: gw ?? "",
    dev: unlessEmpty(dev),
    protocol,
    scope: scope === "universe" ? undefined : scope,
  };
}

function neighbor({ ip, hwAddr, dev, state }: PodNeighbor): object {
  return { ip, "hw-addr": unlessEmpty(hwAddr), dev: unlessEmpty(dev), state };
}

function unlessEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function unlessZero(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

function listOrNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}

function wellFormed(value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}
