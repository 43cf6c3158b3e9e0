import { readFile } from "node:fs/promises";
import { formatSubnet, overlaps, subnetOfWords, type Subnet } from "./subnet.ts";

/** A route of this machine's main table to a network. */
export interface KnownRoute {
  /** `10.213.0.0/20`. */
  readonly destination: string;
  readonly link: string;
  /** The network is that of the link itself, so some machine there may have any of its addresses. */
  readonly isConnected: boolean;
}

/** Routes into a network, other than through `ownLink`; the default route does not count. */
export async function routesInto(subnet: Subnet, ownLink: string): Promise<KnownRoute[]> {
  return parseRoutes(await readFile("/proc/self/net/route", "utf8"))
    .filter(({ network, link }) => network.prefixLength > 0 && link !== ownLink && overlaps(network, subnet))
    .map(({ network, link, isConnected }) => ({ destination: formatSubnet(network), link, isConnected }));
}

/** `RTF_GATEWAY` of linux/route.h. */
const VIA_GATEWAY = 0x2;

/** Reads the form of `/proc/net/route`: a heading, then one route a line; addresses in the machine's byte order. */
export function parseRoutes(
  text: string,
): { readonly network: Subnet; readonly link: string; readonly isConnected: boolean }[] {
  return text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => {
      const [link = "", destination = "", , flags = "", , , , mask = ""] = line.trim().split(/\s+/);
      const network = subnetOfWords(destination, mask);
      return { network, link, isConnected: (Number.parseInt(flags, 16) & VIA_GATEWAY) === 0 };
    });
}
