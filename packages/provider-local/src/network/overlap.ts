import { ProviderError } from "@peerpods/cloud-providers";
import { ALIAS_PREFIX, type Bridge } from "./bridge-type.ts";
import { routesInto, type KnownRoute } from "./known-routes.ts";
import { linkAttribute } from "./link.ts";
import { formatSubnet } from "./subnet.ts";

export const overlapRemedy =
  "choose a local-subnet that this machine does not know; each daemon needs one of its own, and a local-bridge";

/** For people: whom our network meets. */
export async function overlapText(
  { subnet }: Bridge,
  { destination, link, isConnected }: KnownRoute,
): Promise<string> {
  const alias = await linkAttribute(link, "ifalias");
  const whose = alias?.startsWith(ALIAS_PREFIX) === true ? "another daemon's bridge " : "";
  const what = isConnected
    ? `the network ${destination} of ${whose}${link}`
    : `the route to ${destination} through ${link}`;
  return `${formatSubnet(subnet)} meets ${what}`;
}

/**
 * Refuses to go on where another link has addresses of our network: machines there, such as the VMs of another daemon,
 * would be taken for our VMs. A wider route by a gateway does no harm, since the bridge's own is preferred.
 * @throws ProviderError `invalid_config`
 */
export async function refuseOverlap(bridge: Bridge): Promise<void> {
  const [route] = (await routesInto(bridge.subnet, bridge.name)).filter(({ isConnected }) => isConnected);
  if (route === undefined) return;
  throw new ProviderError(
    "invalid_config",
    `local-subnet: ${await overlapText(bridge, route)}; ${overlapRemedy}`,
  );
}
