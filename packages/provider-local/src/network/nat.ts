import { readFile } from "node:fs/promises";
import { commandOptions, type NetworkCall } from "./bridge.ts";
import type { Bridge } from "./bridge-type.ts";
import { formatSubnet } from "./subnet.ts";

/** The nftables table of one bridge. */
export function natTable(bridge: Bridge): string {
  return `peerpods_local_${bridge.name.replaceAll(/[^a-zA-Z0-9]/g, "_")}`;
}

/** The `nft -f` text that lets VMs reach what this machine reaches, under its address. Can be applied again. */
export function planNat(bridge: Bridge): string {
  const table = natTable(bridge);
  return [
    `add table ip ${table}`,
    `delete table ip ${table}`,
    `table ip ${table} {`,
    "  chain postrouting {",
    "    type nat hook postrouting priority srcnat; policy accept;",
    `    ip saddr ${formatSubnet(bridge.subnet)} oifname != "${bridge.name}" masquerade`,
    "  }",
    "}",
    "",
  ].join("\n");
}

/** Adds or renews the table. */
export async function applyNat(bridge: Bridge, call: NetworkCall): Promise<void> {
  await call.run("nft", ["-f", "-"], { ...commandOptions(call), input: planNat(bridge) });
}

/** Removes the table if it is there. Can be repeated. */
export async function removeNat(bridge: Bridge, call: NetworkCall): Promise<void> {
  const table = natTable(bridge);
  const input = `add table ip ${table}\ndelete table ip ${table}\n`;
  await call.run("nft", ["-f", "-"], { ...commandOptions(call), input });
}

/** Whether this machine forwards at all. Ours to report, not to change: it concerns all its networks. */
export async function forwardsIpv4(): Promise<boolean> {
  return (await readFile("/proc/sys/net/ipv4/ip_forward", "utf8")).trim() === "1";
}
