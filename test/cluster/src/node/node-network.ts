import { execa } from "execa";

/** A network namespace for one node, joined to this machine by a veth pair. */
export interface NodeNetwork extends AsyncDisposable {
  /** Path of the namespace, for `nsenter --net=`. */
  readonly path: string;
  /** This machine, as seen from the node. */
  readonly hostAddress: string;
  readonly nodeAddress: string;
}

const POD_NETWORK = "10.244.0.0/16";
export const podSubnet = "10.244.1.0/24";
/** Where pods look for the API server. */
const SERVICE = "10.96.0.1";

/**
 * Makes the network of a node whose pods reach the API server on `apiPort` of this machine under the service's address, as
 * kube-proxy would have it.
 */
export async function createNodeNetwork(name: string): Promise<NodeNetwork> {
  const path = `/run/netns/${name}`;
  const [hostAddress, nodeAddress] = ["10.251.77.1", "10.251.77.2"];
  await using parts = new AsyncDisposableStack();
  await execa("ip", ["netns", "add", name]);
  parts.defer(async () => void (await execa("ip", ["netns", "delete", name], { reject: false })));
  const inside = ["-n", name];
  await execa("ip", ["link", "add", `${name}h`, "type", "veth", "peer", "name", "eth0", "netns", name]);
  parts.defer(async () => void (await execa("ip", ["link", "delete", `${name}h`], { reject: false })));
  await execa("ip", ["address", "add", `${hostAddress}/30`, "dev", `${name}h`]);
  await execa("ip", ["link", "set", `${name}h`, "up"]);
  await execa("ip", [...inside, "address", "add", `${nodeAddress}/30`, "dev", "eth0"]);
  await execa("ip", [...inside, "link", "set", "eth0", "up"]);
  await execa("ip", [...inside, "link", "set", "lo", "up"]);
  await execa("ip", [...inside, "route", "add", "default", "via", hostAddress]);
  await execa("ip", ["route", "add", POD_NETWORK, "via", nodeAddress]);
  await execa("nsenter", [`--net=${path}`, "sysctl", "-qw", "net.ipv4.ip_forward=1"]);
  const owned = parts.move();
  return { path, hostAddress, nodeAddress, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Leads the service's address to the API server. */
export async function serveApi({ path, hostAddress }: NodeNetwork, apiPort: number): Promise<void> {
  const rule = `ip daddr ${SERVICE} tcp dport 443 dnat to ${hostAddress}:${apiPort}`;
  const table = [
    "table ip peerpods-test {",
    `  chain pods { type nat hook prerouting priority dstnat; ${rule}; }`,
    `  chain node { type nat hook output priority -100; ${rule}; }`,
    "}",
  ].join("\n");
  await execa("nsenter", [`--net=${path}`, "nft", "-f", "-"], { input: table });
}
