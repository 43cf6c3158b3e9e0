import {
  type PodNeighbor,
  type PodNetworkConfig,
  type PodRoute,
  VXLAN_IPV4_OVERHEAD_BYTES,
  parseCidr,
} from "@peerpods/podvm-contract";
import { command } from "../driver/batch.ts";
import type { LinkAnswer, NeighborAnswer, RouteAnswer } from "../driver/answers.ts";
import { readLinks, readNeighbors, readRoutes } from "../driver/answers.ts";
import type { IpRoute2 } from "../driver/iproute2.ts";
import { PodNetworkError } from "../errors.ts";
import { ipv4Addresses, requireLink, requirePodAddress } from "../facts/addresses.ts";
import { networkOf } from "../facts/ipv4.ts";
import { podRoutes } from "../facts/pod-routes.ts";
import {
  findPrimaryInterface,
  type PrimaryInterface,
  requirePrimaryInterface,
} from "../facts/primary-interface.ts";

/** What to inspect on a worker node. */
export interface WorkerNetworkRequest {
  /** Path of the pod's network namespace, as the CNI plug-ins left it. */
  readonly netnsPath: string;
  /** Interface of the tunnel (`-host-interface`); default: the node's primary interface. */
  readonly hostInterface?: string | undefined;
  /** IPv4 ranges of the cluster that the pod reaches through its CNI gateway (`-pod-subnet-cidrs`). */
  readonly podSubnetCidrs?: readonly string[] | undefined;
  /** Let other traffic leave through a second interface of the VM (`-ext-network-via-podvm`). */
  readonly externalNetViaPodVm?: boolean | undefined;
}

/** Facts of a pod's network, lacking only what the caller numbers: `index`, `vxlanPort` and `vxlanId`. */
export interface WorkerNetwork extends Omit<PodNetworkConfig, "index" | "vxlanPort" | "vxlanId"> {
  /** What the pod's namespace has and the VM will not, each with its reason. For the log. */
  readonly omitted: readonly string[];
}

/**
 * Reads what a pod VM must know of the pod's network. Changes nothing; two processes side by side.
 *
 * `mtu` is what fits through the tunnel: the pod interface's own, at most that of the tunnel's interface less
 * {@link VXLAN_IPV4_OVERHEAD_BYTES}.
 * @throws PodNetworkError `no_namespace`, `no_primary_interface`, `no_address`, `unsupported`, `invalid_config`
 */
export async function inspectWorkerNetwork(
  request: WorkerNetworkRequest,
  driver: IpRoute2,
  { signal }: { readonly signal: AbortSignal },
): Promise<WorkerNetwork> {
  const { netnsPath, hostInterface, podSubnetCidrs = [], externalNetViaPodVm = false } = request;
  const subnets = podSubnetCidrs.map(podSubnet);
  const [[hostRoutes, hostLinks], [routes, links, neighbors]] = await Promise.all([
    driver.queryIp([command`route show default table main`, command`addr show`], { ipv4: true, signal }),
    driver.queryIp([command`route show table main`, command`addr show`, command`neigh show nud permanent`], {
      netns: netnsPath,
      signal,
    }),
  ]);
  const tunnel = tunnelEnd(readRoutes(hostRoutes), readLinks(hostLinks), hostInterface);
  const pod = podFacts(readRoutes(routes), readLinks(links));
  return {
    podIp: pod.address,
    podHwAddr: pod.link.address,
    interface: pod.primary.name,
    workerNodeIp: tunnel.address,
    tunnelType: "vxlan",
    routes: withSubnets(pod.routes, subnets, pod.primary),
    neighbors: readNeighbors(neighbors).flatMap((answer) => permanentNeighbor(answer, pod.primary.name)),
    mtu: Math.min(pod.link.mtu, tunnel.mtu - VXLAN_IPV4_OVERHEAD_BYTES),
    dedicated: tunnel.dedicated,
    externalNetViaPodVm,
    omitted: pod.omitted,
  };
}

function tunnelEnd(routes: readonly RouteAnswer[], links: readonly LinkAnswer[], hostInterface?: string) {
  const where = "the worker node";
  // With an interface given, a node without default route still has a tunnel; it just cannot have a dedicated one.
  const primary = hostInterface ? findPrimaryInterface(routes) : requirePrimaryInterface(routes, where);
  const name = hostInterface || (primary?.name ?? "");
  const link = requireLink(links, name, where);
  const [address] = ipv4Addresses(link);
  if (address === undefined) {
    throw new PodNetworkError("no_address", `the tunnel's interface ${name} has no IPv4 address`);
  }
  return { address, mtu: link.mtu, dedicated: primary !== undefined && primary.name !== name };
}

function podFacts(answers: readonly RouteAnswer[], links: readonly LinkAnswer[]) {
  const primary = findPrimaryInterface(answers);
  if (primary === undefined) throw noDefaultRoute(links);
  const link = requireLink(links, primary.name, "the pod's network namespace");
  return { primary, link, address: requirePodAddress(link), ...podRoutes(answers, primary.name) };
}

function noDefaultRoute(links: readonly LinkAnswer[]): PodNetworkError {
  // A pod without IPv4 routes is most often one of an IPv6 cluster: say that instead of "no route".
  for (const link of links) {
    if (link.addr_info.some(({ family, scope }) => family === "inet6" && scope === "global"))
      requirePodAddress(link);
  }
  return new PodNetworkError(
    "no_primary_interface",
    "the pod's network namespace has no default IPv4 route; was it set up by a CNI plug-in?",
  );
}

function permanentNeighbor(
  { dst, dev, lladdr }: NeighborAnswer,
  podInterface: string,
): readonly PodNeighbor[] {
  if (dev !== podInterface || dst.includes(":")) return [];
  return [{ ip: dst, hwAddr: lladdr, dev, state: "permanent" }];
}

function podSubnet(text: string): string {
  const cidr = parseCidr(text.trim());
  if (cidr?.family === 4) return networkOf(cidr);
  throw new PodNetworkError(
    "invalid_config",
    `pod-subnet-cidrs: ${JSON.stringify(text)} is not an IPv4 range`,
  );
}

function withSubnets(
  routes: readonly PodRoute[],
  subnets: readonly string[],
  { name, gateway }: PrimaryInterface,
): readonly PodRoute[] {
  // A forwarder adds routes one by one and fails at a destination that comes twice.
  const missing = new Set(subnets).difference(new Set(routes.map(({ dst }) => dst)));
  return [...routes, ...[...missing].map((dst) => ({ dst, gw: gateway, dev: name }))];
}
