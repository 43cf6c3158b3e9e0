import * as z from "zod";
import type { IpRoute2 } from "../driver/iproute2.ts";
import { isPodNetworkError } from "../errors.ts";
import {
  createNotrack,
  createNotrackTable,
  deleteNotrack,
  deleteNotrackTable,
  listNotrack,
  ownerOf,
  takeOverNotrack,
} from "./notrack-script.ts";
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

/** The additions that wait their turn, by driver. */
const nextAdditions = new WeakMap<
  IpRoute2,
  { readonly tunnels: TunnelEnd[]; readonly failures: Promise<ReadonlyMap<TunnelEnd, unknown>> }
>();

/** Adds the rules of one tunnel; repeatable. What is asked for while others are changed is added together afterwards. */
export async function addTunnelRules(tunnel: TunnelEnd, driver: IpRoute2): Promise<void> {
  let round = nextAdditions.get(driver);
  if (round === undefined) {
    const tunnels: TunnelEnd[] = [];
    const failures = driver.exclusively(() => {
      nextAdditions.delete(driver);
      return addAll(tunnels, driver);
    });
    round = { tunnels, failures };
    nextAdditions.set(driver, round);
  }
  round.tunnels.push(tunnel);
  const failures = await round.failures;
  if (failures.has(tunnel)) throw failures.get(tunnel);
}

/** In one transaction; where that fails, one by one, so that each gets what it deserves. Never rejects. */
async function addAll(
  tunnels: readonly TunnelEnd[],
  driver: IpRoute2,
): Promise<ReadonlyMap<TunnelEnd, unknown>> {
  const failures = new Map<TunnelEnd, unknown>();
  if (tunnels.length > 1) {
    const together = await driver.nft(tunnels.map(createNotrack).join("")).then(
      () => true,
      () => false,
    );
    if (together) return failures;
  }
  for (const tunnel of tunnels) {
    await addOne(tunnel, driver).catch((error: unknown) => failures.set(tunnel, error));
  }
  return failures;
}

async function addOne(tunnel: TunnelEnd, driver: IpRoute2): Promise<void> {
  try {
    await driver.nft(createNotrack(tunnel));
  } catch (error) {
    // Both are rare: the first tunnel of a machine, and an address whose last tunnel is still being taken down.
    if (isPodNetworkError(error, "not_found")) await driver.nft(createNotrackTable() + createNotrack(tunnel));
    else if (isPodNetworkError(error, "exists")) await driver.nft(takeOverNotrack(tunnel));
    else throw error;
  }
}

/** The removal that waits its turn, by driver. */
const nextRemovals = new WeakMap<IpRoute2, { readonly ids: Set<number>; readonly done: Promise<void> }>();

/**
 * Removes the rules of the tunnel with this id, and the table with the last of them. Repeatable.
 *
 * A transaction that removes waits for a grace period of the kernel, tens of milliseconds under load. What is asked
 * for while one runs is therefore removed together in the next, so that set-ups never queue behind many of them.
 */
export async function removeTunnelRules(vxlanId: number, driver: IpRoute2): Promise<void> {
  let round = nextRemovals.get(driver);
  if (round === undefined) {
    const ids = new Set<number>();
    const done = driver.exclusively(() => {
      nextRemovals.delete(driver);
      return removeAll(ids, driver);
    });
    round = { ids, done };
    nextRemovals.set(driver, round);
  }
  round.ids.add(vxlanId);
  await round.done;
}

/** Listing and deleting are two steps: nothing may be added between them, or it could go with the table. */
async function removeAll(ids: ReadonlySet<number>, driver: IpRoute2): Promise<void> {
  const all = await readRules(driver);
  if (all === undefined) return;
  const own = all.filter(({ vxlanId }) => ids.has(vxlanId));
  if (own.length === all.length) await driver.nft(deleteNotrackTable());
  else if (own.length > 0) await driver.nft(deleteNotrack(own));
}

/** `undefined` where the table does not exist. */
async function readRules(driver: IpRoute2, signal?: AbortSignal): Promise<readonly TunnelEnd[] | undefined> {
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
