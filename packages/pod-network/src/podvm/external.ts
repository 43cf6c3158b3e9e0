import { parseCidr } from "@peerpods/podvm-contract";
import { type LinkAnswer, type RouteAnswer, readLinks, readRoutes } from "../driver/answers.ts";
import { type Command, command, joined } from "../driver/batch.ts";
import { PodNetworkError } from "../errors.ts";
import { ipv4Addresses } from "../facts/addresses.ts";
import { networkOf } from "../facts/ipv4.ts";
import { requirePrimaryInterface } from "../facts/primary-interface.ts";

/** The VM's second interface, which carries what leaves the cluster. */
export interface ExternalInterface {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Absent when the default route is on-link. */
  readonly gateway: string | undefined;
  /** The default route it has in the VM's own namespace, to be put back when the set-up is undone. */
  readonly ownDefaultRoute: RouteAnswer | undefined;
}

/** Interfaces that programs make, by the beginnings of their names. */
const virtualPrefixes = ["veth", "lo", "docker", "podman", "br-", "cni", "tunl", "tun", "tap"];

/**
 * Chooses the second interface as the reference does: the first that is neither primary nor virtual, has an IPv4
 * address, and either a default route of its own or an address in the primary's network, whose gateway it then uses.
 */
export function chooseExternalInterface(routeAnswer: unknown, linkAnswer: unknown): ExternalInterface {
  const routes = readRoutes(routeAnswer);
  const links = readLinks(linkAnswer);
  const primary = requirePrimaryInterface(routes, "the pod VM");
  const primaryNetworks = networks(links.find(({ ifname }) => ifname === primary.name));
  for (const link of links) {
    const addresses = ipv4Addresses(link);
    const isVirtual = virtualPrefixes.some((prefix) => link.ifname.startsWith(prefix));
    if (link.ifname === primary.name || isVirtual || addresses.length === 0) continue;
    const own = routes.find(({ dst, dev }) => dst === "default" && dev === link.ifname);
    const isNeighbor = networks(link).some((network) => primaryNetworks.includes(network));
    if (own === undefined && !isNeighbor) continue;
    const gateway = own === undefined ? primary.gateway : own.gateway;
    return { name: link.ifname, addresses, gateway, ownDefaultRoute: own };
  }
  throw new PodNetworkError(
    "no_address",
    "external network through the pod VM: the VM has no second interface with an IPv4 address and a gateway",
  );
}

/** In the VM's own namespace. */
export function planMove({ name }: ExternalInterface, netns: string): readonly Command[] {
  return [command`link set dev ${name} netns ${netns}`];
}

/** In the containers' namespace, after {@link planMove}: a moved interface has lost addresses and routes. */
export function planExternalNetwork(external: ExternalInterface): readonly Command[] {
  return [...readdress(external), defaultRoute(external)];
}

/** In the VM's own namespace, after the interface has been moved back. */
export function planRestore(external: ExternalInterface): readonly Command[] {
  const { ownDefaultRoute: own } = external;
  if (own === undefined) return readdress(external);
  return [...readdress(external), joined(defaultRoute(external), command`metric ${own.metric}`)];
}

/** Whether the containers' namespace has its default route over an interface other than the pod's. */
export function hasExternalNetwork(routeAnswer: unknown, podInterface: string): boolean {
  return readRoutes(routeAnswer).some(({ dst, dev }) => dst === "default" && dev !== podInterface);
}

function readdress({ name, addresses }: ExternalInterface): readonly Command[] {
  return [
    ...addresses.map((address) => command`addr replace ${address} dev ${name}`),
    command`link set dev ${name} up`,
  ];
}

function defaultRoute({ name, gateway }: ExternalInterface): Command {
  return gateway === undefined
    ? command`route replace default dev ${name}`
    : command`route replace default via ${gateway} dev ${name} onlink`;
}

function networks(link: LinkAnswer | undefined): readonly string[] {
  if (link === undefined) return [];
  return ipv4Addresses(link).flatMap((address) => {
    const cidr = parseCidr(address);
    return cidr === undefined ? [] : [networkOf(cidr)];
  });
}
