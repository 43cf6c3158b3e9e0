import { z } from "zod";
import type { IpRoute2 } from "../driver/iproute2.ts";
import { addNotrack, deleteNotrack, deleteNotrackTable, listNotrack, ownerOf } from "./notrack-script.ts";
import type { TunnelEnd } from "./vxlan.ts";

const listing = z.object({
  nftables: z.array(z.object({ set: z.object({ elem: z.array(z.unknown()).default([]) }).optional() })),
});

const element = z.object({
  elem: z.object({
    val: z.object({ concat: z.tuple([z.string(), z.number()]) }),
    comment: z.string().default(""),
  }),
});

/**
 * The tunnels that have connection tracking switched off on this machine, also those a crash left behind.
 * @throws PodNetworkError, or the signal's reason
 */
export async function listTunnelRules(
  driver: IpRoute2,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly TunnelEnd[]> {
  return (await readRules(driver, signal)) ?? [];
}

/** Adds the rules of one tunnel; repeatable. */
export async function addTunnelRules(tunnel: TunnelEnd, driver: IpRoute2): Promise<void> {
  await driver.exclusively(() => driver.nft(addNotrack(tunnel)));
}

/**
 * Removes the rules of the tunnel with this id, and the table with the last of them. Repeatable.
 *
 * Listing and deleting are two steps, so nothing may be added between them: all changes through one driver queue.
 */
export async function removeTunnelRules(
  vxlanId: number,
  driver: IpRoute2,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  await driver.exclusively(async () => {
    const all = await readRules(driver, options.signal);
    if (all === undefined) return;
    const own = all.filter((tunnel) => tunnel.vxlanId === vxlanId);
    if (own.length === all.length) await driver.nft(deleteNotrackTable());
    else if (own.length > 0) await driver.nft(deleteNotrack(own));
  });
}

/** `undefined` where the table does not exist. */
async function readRules(driver: IpRoute2, signal: AbortSignal): Promise<readonly TunnelEnd[] | undefined> {
  const answer = await driver.queryNft(listNotrack, { signal });
  if (answer === undefined) return undefined;
  return listing.parse(answer).nftables.flatMap(({ set }) => (set?.elem ?? []).flatMap(tunnelOf));
}

function tunnelOf(item: unknown): readonly TunnelEnd[] {
  const parsed = element.safeParse(item);
  if (!parsed.success) return [];
  const { val, comment } = parsed.data.elem;
  const vxlanId = ownerOf(comment);
  const [remote, vxlanPort] = val.concat;
  return vxlanId === undefined ? [] : [{ vxlanId, remote, vxlanPort }];
}
