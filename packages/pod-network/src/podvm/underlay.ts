import { setTimeout as sleep } from "node:timers/promises";
import { readLinks, readRoutes } from "../driver/answers.ts";
import { command } from "../driver/batch.ts";
import type { IpRoute2 } from "../driver/iproute2.ts";
import { PodNetworkError } from "../errors.ts";
import { ipv4Addresses } from "../facts/addresses.ts";
import { findPrimaryInterface } from "../facts/primary-interface.ts";
import { type PodVMNetworkOptions, defaultNetworkTimeoutMs, defaultPollIntervalMs } from "./options.ts";

/** The VM's network once it can carry a tunnel. */
export interface Underlay {
  readonly primaryInterface: string;
  /** MTU of the tunnel's interface. */
  readonly mtu: number;
}

/**
 * Waits until the VM has a primary interface with an IPv4 address and, in dedicated mode, the tunnel's interface has
 * one too. The VM's network comes up while this program starts.
 * @throws PodNetworkError `invalid_config` for a dedicated interface that is missing or the primary one; `timeout`
 * saying what was still missing; the signal's reason
 */
export async function waitForUnderlay(
  dedicated: boolean,
  driver: IpRoute2,
  options: PodVMNetworkOptions,
): Promise<Underlay> {
  const { networkTimeoutMs = defaultNetworkTimeoutMs, pollIntervalMs = defaultPollIntervalMs } = options;
  const { signal } = options;
  if (dedicated && !options.hostInterface) {
    throw new PodNetworkError("invalid_config", "a dedicated tunnel needs the option host-interface");
  }
  const tunnelInterface = dedicated ? options.hostInterface : undefined;
  const deadline = AbortSignal.timeout(networkTimeoutMs);
  for (;;) {
    const found = await look(driver, { tunnelInterface, signal });
    if (typeof found !== "string") return found;
    if (deadline.aborted) {
      throw new PodNetworkError(
        "timeout",
        `the VM's network is not up after ${networkTimeoutMs} ms: ${found}`,
      );
    }
    await pause(pollIntervalMs, AbortSignal.any([signal, deadline]));
    signal.throwIfAborted();
  }
}

interface Look {
  readonly tunnelInterface: string | undefined;
  readonly signal: AbortSignal;
}

/** One look: the network, or what is missing. */
async function look(driver: IpRoute2, { tunnelInterface, signal }: Look): Promise<Underlay | string> {
  const commands = [command`route show default table main`, command`addr show`];
  const [routes, linkAnswer] = await driver.queryIp(commands, { ipv4: true, signal });
  const links = readLinks(linkAnswer);
  const primary = findPrimaryInterface(readRoutes(routes))?.name;
  if (primary === undefined) return "no default IPv4 route";
  const name = tunnelInterface ?? primary;
  if (tunnelInterface === primary) {
    throw new PodNetworkError(
      "invalid_config",
      `host-interface ${primary} is the primary one; dedicated needs another`,
    );
  }
  for (const needed of new Set([primary, name])) {
    const link = links.find(({ ifname }) => ifname === needed);
    if (link === undefined || ipv4Addresses(link).length === 0) return `${needed} has no IPv4 address`;
  }
  const mtu = links.find(({ ifname }) => ifname === name)?.mtu ?? 0;
  return { primaryInterface: primary, mtu };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    // Ended early; the caller looks which of the two signals it was.
    if (!signal.aborted) throw error;
  }
}
