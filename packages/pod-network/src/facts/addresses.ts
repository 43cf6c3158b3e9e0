import type { LinkAnswer } from "../driver/answers.ts";
import { PodNetworkError } from "../errors.ts";

/** The IPv4 addresses of a link with prefix length, in the kernel's order. */
export function ipv4Addresses({ addr_info: addresses }: LinkAnswer): readonly string[] {
  return addresses.flatMap(({ family, local, prefixlen }) =>
    family === "inet" && local !== undefined ? [`${local}/${prefixlen}`] : [],
  );
}

/** The link of that name, or an error that says where it is missing. */
export function requireLink(links: readonly LinkAnswer[], name: string, where: string): LinkAnswer {
  const link = links.find(({ ifname }) => ifname === name);
  if (link !== undefined) return link;
  throw new PodNetworkError("no_address", `${where} has no interface ${name} with an IPv4 address`);
}

/**
 * The one address of a pod.
 * @throws PodNetworkError `no_address` for none, `unsupported` for IPv6 and for several
 */
export function requirePodAddress(link: LinkAnswer): string {
  const [first, ...others] = ipv4Addresses(link);
  const ipv6 = link.addr_info.filter(({ family, scope }) => family === "inet6" && scope === "global");
  if (first !== undefined && others.length === 0 && ipv6.length === 0) return first;
  const all = [...ipv4Addresses(link), ...ipv6.map(({ local, prefixlen }) => `${local}/${prefixlen}`)];
  if (all.length === 0) {
    throw new PodNetworkError("no_address", `the pod's interface ${link.ifname} has no IP address`);
  }
  throw new PodNetworkError(
    "unsupported",
    `the pod's interface ${link.ifname} has ${all.join(", ")}; peer pods support exactly one IPv4 address and no ` +
      "IPv6: configure the CNI plug-in for single-stack IPv4",
  );
}
