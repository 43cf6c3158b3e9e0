import type { TunnelEnd } from "./vxlan.ts";

/**
 * The tunnel's packets skip connection tracking on both ends: a node carries many pods, and every flow of every pod
 * inside the tunnels would otherwise take an entry of the node's table.
 *
 * One nftables table of ours holds one set of tunnel peers. A lookup costs the same however many pods there are, and
 * each element says in its comment which tunnel it belongs to, so that it can be removed, or found when orphaned.
 */
export const notrackTable = { family: "ip", name: "peerpods", set: "tunnels" } as const;

const table = `${notrackTable.family} ${notrackTable.name}`;
const commentPrefix = "vni ";

/**
 * Adds a tunnel's packets to a table that is there; fails with `exists` where the peer has an owner. A transaction
 * that only adds is quick; one that removes or replaces anything waits for a grace period of the kernel.
 */
export function createNotrack(tunnel: TunnelEnd): string {
  return `create element ${table} ${notrackTable.set} { ${owned(tunnel)} }\n`;
}

/** Makes the table, its set and its rules, or mends them. Repeatable. */
export function createNotrackTable(): string {
  return [
    `add table ${table}`,
    `add set ${table} ${notrackTable.set} { type ipv4_addr . inet_service ; }`,
    `add chain ${table} output { type filter hook output priority raw ; policy accept ; }`,
    `add chain ${table} prerouting { type filter hook prerouting priority raw ; policy accept ; }`,
    `flush chain ${table} output`,
    `flush chain ${table} prerouting`,
    `add rule ${table} output ip daddr . udp dport @${notrackTable.set} notrack`,
    `add rule ${table} prerouting ip saddr . udp dport @${notrackTable.set} notrack`,
    "",
  ].join("\n");
}

/** Gives a peer that another tunnel had (an address used again) its new owner. */
export function takeOverNotrack(tunnel: TunnelEnd): string {
  return deleteNotrack([tunnel]) + createNotrack(tunnel);
}

/** Removes elements that exist. */
export function deleteNotrack(tunnels: readonly TunnelEnd[]): string {
  return `delete element ${table} ${notrackTable.set} { ${tunnels.map(key).join(", ")} }\n`;
}

/** Removes the table with all that is in it. */
export function deleteNotrackTable(): string {
  return `delete table ${table}\n`;
}

/** Arguments of `nft -j` that list the elements. */
export const listNotrack: readonly string[] = [
  "list",
  "set",
  notrackTable.family,
  notrackTable.name,
  notrackTable.set,
];

/** The id in an element's comment; `undefined` for what is not ours. */
export function ownerOf(comment: string): number | undefined {
  const text = comment.startsWith(commentPrefix) ? comment.slice(commentPrefix.length) : "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function owned(tunnel: TunnelEnd): string {
  return `${key(tunnel)} comment "${commentPrefix}${tunnel.vxlanId}"`;
}

function key({ remote, vxlanPort }: TunnelEnd): string {
  return `${remote} . ${vxlanPort}`;
}
