import { isIPv4 } from "node:net";
import { ProviderError, type CallContext } from "@peerpods/cloud-providers";
import type { LibvirtHost } from "../host.ts";
import { macOf } from "../identity.ts";
import { findDomain } from "./look.ts";
import { isProblem } from "../virsh/errors.ts";

const POLL_MS = 1_000;

/** IPv4 addresses that the VM has by now, those of its own network interface first; may be none. */
export async function askAddresses(
  { connection, config }: LibvirtHost,
  id: string,
  call: CallContext,
): Promise<readonly string[]> {
  const args = ["--domain", id, "--source", config.addressSource, "--full"];
  return parseAddresses(await connection.ask("domifaddr", args, call), macOf(id));
}

/**
 * Waits until the VM has an address.
 * @throws ProviderError `timeout` after the time of `address-timeout`, `internal` when the VM has ended meanwhile.
 */
export async function waitForAddresses(
  host: LibvirtHost,
  id: string,
  call: CallContext,
): Promise<readonly string[]> {
  const { clock, config } = host;
  const until = clock.now() + config.addressTimeoutMs;
  for (;;) {
    const addresses = await addressesNow(host, id, call);
    if (addresses.length > 0) return addresses;
    if (clock.now() >= until)
      throw new ProviderError(
        "timeout",
        `VM ${id} has had no address for ${config.addressTimeoutMs} ms (address-source ${config.addressSource}, ` +
          `network ${config.network}); see whether it boots, and asks for an address by DHCP: virsh console ${id}`,
      );
    await clock.sleep(POLL_MS, call);
  }
}

async function addressesNow(host: LibvirtHost, id: string, call: CallContext): Promise<readonly string[]> {
  try {
    return await askAddresses(host, id, call);
  } catch (error) {
    if (await hasEnded(host, { id, error }, call))
      throw new ProviderError("internal", `VM ${id} ended while it booted`, { cause: error });
    // An agent that does not answer yet is an address that is not there yet.
    if (
      host.config.addressSource === "agent" &&
      error instanceof ProviderError &&
      /agent/i.test(error.message)
    )
      return [];
    throw error;
  }
}

/** Whether it is the VM that is missing, and not the network. */
async function hasEnded(
  host: LibvirtHost,
  { id, error }: { readonly id: string; readonly error: unknown },
  call: CallContext,
): Promise<boolean> {
  if (isProblem(error, "not_running")) return true;
  const missing = error instanceof ProviderError && error.code === "not_found";
  return missing && (await findDomain(host, id, call)) === undefined;
}

/** Rows of `virsh domifaddr --full`: interface, MAC, protocol, address with prefix length. */
export function parseAddresses(table: string, mac: string): readonly string[] {
  const own: string[] = [];
  const others: string[] = [];
  for (const row of table.split("\n")) {
    const [, rowMac = "", protocol, prefixed = ""] = row.trim().split(/\s+/);
    const [address = ""] = prefixed.split("/");
    if (protocol !== "ipv4" || !isIPv4(address) || address.startsWith("127.")) continue;
    (rowMac.toLowerCase() === mac ? own : others).push(address);
  }
  return [...new Set([...own, ...others])];
}
