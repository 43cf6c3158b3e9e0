import { type LinkAnswer, readLinks } from "../driver/answers.ts";
import { command } from "../driver/batch.ts";
import type { IpRoute2 } from "../driver/iproute2.ts";
import { PodNetworkError, isPodNetworkError } from "../errors.ts";
import { isTunnelLink, listVxlanLinks } from "../tunnel/vxlan.ts";
import { planPodLink } from "./plan.ts";
import type { PodVMTunnel } from "./tunnel.ts";

interface Place {
  readonly netns: string;
  readonly mtu: number;
  readonly signal: AbortSignal;
}

/**
 * Makes the containers' interface, or finds the one an earlier run of this program made. An own link that leads
 * elsewhere, or has not got its name yet, is made anew; anything else of that name is an error.
 * @returns whether the link was made now; then it has its first name, see `planPodLinkName`
 */
export async function ensurePodLink(tunnel: PodVMTunnel, driver: IpRoute2, place: Place): Promise<boolean> {
  const links = await linksOf(driver, place);
  const existing = links.find(({ ifname }) => ifname === tunnel.interface);
  if (existing !== undefined && leadsTo(existing, tunnel)) return false;
  if (existing !== undefined && existing.linkinfo?.info_kind !== "vxlan")
    throw foreign(tunnel.interface, place.netns);
  for (const link of links)
    if (link === existing || isTunnelLink(link, tunnel.vxlanId))
      await deletePodLink(link.ifname, driver, place.netns);
  place.signal.throwIfAborted();
  await driver.ip(planPodLink(tunnel, place));
  return true;
}

/** Removes the tunnel's link, whatever its name is; repeatable, also when the namespace is gone. */
export async function removePodLink(
  vxlanId: number,
  driver: IpRoute2,
  { netns, signal }: Omit<Place, "mtu">,
): Promise<void> {
  try {
    const [answer = []] = await driver.queryIp([listVxlanLinks], { netns, details: true, signal });
    for (const link of readLinks(answer).filter((link) => isTunnelLink(link, vxlanId))) {
      await deletePodLink(link.ifname, driver, netns);
    }
  } catch (error) {
    if (!isPodNetworkError(error, "no_namespace", "not_found")) throw error;
  }
}

async function linksOf(driver: IpRoute2, { netns, signal }: Place): Promise<readonly LinkAnswer[]> {
  try {
    const [answer = []] = await driver.queryIp([command`link show`], { netns, details: true, signal });
    return readLinks(answer);
  } catch (error) {
    if (!isPodNetworkError(error, "no_namespace")) throw error;
    const message = `the containers' network namespace ${netns} does not exist; it is made when the VM starts`;
    throw new PodNetworkError("no_namespace", message, { cause: error });
  }
}

async function deletePodLink(name: string, driver: IpRoute2, netns: string): Promise<void> {
  await driver.ip([command`link del dev ${name}`], { netns });
}

function leadsTo(link: LinkAnswer, { vxlanId, remote, vxlanPort }: PodVMTunnel): boolean {
  const data = link.linkinfo?.info_data;
  return isTunnelLink(link, vxlanId) && data?.remote === remote && data.port === vxlanPort;
}

function foreign(name: string, netns: string): PodNetworkError {
  return new PodNetworkError(
    "exists",
    `${netns} has an interface ${name} already, and it is no tunnel of ours`,
  );
}
