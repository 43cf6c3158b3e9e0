import * as z from "zod";
import { readLinks } from "../driver/answers.ts";
import { command } from "../driver/batch.ts";
import type { IpRoute2 } from "../driver/iproute2.ts";
import { isPodNetworkError } from "../errors.ts";
import { failuresOf } from "../settle.ts";
import { removeTunnelRules } from "../tunnel/notrack.ts";
import { isTunnelLink, listVxlanLinks } from "../tunnel/vxlan.ts";
import { type WorkerTunnel, planRedirectRemoval, workerLinkName } from "./plan.ts";

/**
 * Removes what is there of a tunnel, each part whatever becomes of the others, and returns the failures.
 * Only what is this tunnel's is touched: the link of its id, an ingress qdisc that redirects into it, rules of its id.
 */
export async function removeWorkerTunnel(
  tunnel: WorkerTunnel,
  driver: IpRoute2,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  return failuresOf([
    unlessGone(() => removeRedirect(tunnel, driver, signal)),
    unlessGone(() => removeLink(tunnel, driver, signal)),
    removeTunnelRules(tunnel.vxlanId, driver),
  ]);
}

async function removeLink({ netnsPath, vxlanId }: WorkerTunnel, driver: IpRoute2, signal: AbortSignal) {
  const netns = netnsPath;
  const [answer = []] = await driver.queryIp([listVxlanLinks], { netns, details: true, signal });
  for (const link of readLinks(answer).filter((link) => isTunnelLink(link, vxlanId))) {
    await driver.ip([command`link del dev ${link.ifname}`], { netns });
  }
}

async function removeRedirect(tunnel: WorkerTunnel, driver: IpRoute2, signal: AbortSignal) {
  const netns = tunnel.netnsPath;
  const list = [command`filter show dev ${tunnel.interface} ingress`];
  const [answer = []] = await driver.queryTc(list, { netns, signal });
  if (redirectsToTunnel(answer)) await driver.tc(planRedirectRemoval(tunnel.interface), { netns });
}

const filters = z.array(
  z.object({
    options: z
      .object({ actions: z.array(z.object({ kind: z.string(), to_dev: z.string().optional() })).default([]) })
      .optional(),
  }),
);

function redirectsToTunnel(answer: unknown): boolean {
  // Once the link is gone, the kernel shows its redirects as leading to "*".
  const targets = [workerLinkName, "*"];
  return filters
    .parse(answer)
    .some(({ options }) =>
      options?.actions.some(
        ({ kind, to_dev: to }) => kind === "mirred" && to !== undefined && targets.includes(to),
      ),
    );
}

/** The namespace, the interface or the link may go at any moment, and with it what was to be removed. */
async function unlessGone(remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!isPodNetworkError(error, "no_namespace", "not_found")) throw error;
  }
}
