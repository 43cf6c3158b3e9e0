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

/** Adds a tunnel's packets. Repeatable; it also mends rules and chains that were lost. */
export function addNotrack(tunnel: TunnelEnd): string {
  return [
    `add table ${table}`,
    `add set ${table} ${notrackTable.set} { type ipv4_addr . inet_service ; }`,
    `add chain ${table} output { type filter hook output priority raw ; policy accept ; }`,
    `add chain ${table} prerouting { type filter hook prerouting priority raw ; policy accept ; }`,
    `flush chain ${table} output`,
    `flush chain ${table} prerouting`,
    `add rule ${table} output ip daddr . udp dport @${notrackTable.set} notrack`,
    `add rule ${table} prerouting ip saddr . udp dport @${notrackTable.set} notrack`,
    // An address may have been another tunnel's a moment ago. Taking the element out first (adding it beforehand, so
    // that this cannot fail) gives it the new owner's comment.
    `add element ${table} ${notrackTable.set} { ${key(tunnel)} }`,
    `delete element ${table} ${notrackTable.set} { ${key(tunnel)} }`,
    `add element ${table} ${notrackTable.set} { ${key(tunnel)} comment "${commentPrefix}${tunnel.vxlanId}" }`,
    "",
  ].join("\n");
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

function key({ remote, vxlanPort }: TunnelEnd): string {
  return `${remote} . ${vxlanPort}`;
}
