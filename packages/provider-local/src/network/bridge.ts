import { ProviderError } from "@peerpods/cloud-providers";
import type { Run, RunOptions } from "../host/run.ts";
import type { Bridge } from "./bridge-type.ts";
import { linkAttribute, linkExists } from "./link.ts";
import { refuseOverlap } from "./overlap.ts";
import { gatewayOf, hardwareAddress } from "./subnet.ts";

/** Ends the alias of a bridge that has ever had address translation, for whoever removes it. */
const NAT_MARK = "-nat";

/** The VM's end of the cable. */
export interface Port {
  /** Name of the host's end, at most 15 characters. */
  readonly name: string;
  readonly address: string;
  /** A process in the VM's network namespace; `eth0` is made straight in there. */
  readonly pid: number;
}

/** What is known of the bridge before an act. */
export interface BridgeState {
  readonly exists: boolean;
  /** A link of this name is not ours: neither to be used nor to be removed. */
  readonly foreign: boolean;
  readonly nat: boolean;
  readonly mtu: number;
}

/** The `ip -batch` text that makes the bridge if need be, and one port with its peer `eth0` in the VM. */
export function planPort(bridge: Bridge, state: BridgeState, port: Port): string[] {
  const gateway = gatewayOf(bridge.subnet);
  const { name } = bridge;
  const alias = bridge.nat || state.nat ? bridge.alias + NAT_MARK : bridge.alias;
  return [
    ...(state.exists
      ? []
      : // Its own hardware address: else the bridge takes that of a port, and changes it when the port goes.
        [`link add name ${name} mtu ${state.mtu} address ${hardwareAddress(gateway)} type bridge`]),
    `link set dev ${name} alias ${alias} up`,
    `address replace ${gateway}/${bridge.subnet.prefixLength} brd + dev ${name}`,
    `link add name ${port.name} mtu ${state.mtu} master ${name} up type veth ` +
      `peer name eth0 address ${hardwareAddress(port.address)} mtu ${state.mtu} netns ${port.pid}`,
  ];
}

/**
 * Connects a VM. The caller holds the lock of the shared network.
 * @throws ProviderError `invalid_config` when a link of the bridge's name exists that is not ours, or another link has
 * a network that overlaps ours. In the second case the port may have been made and is the caller's to remove.
 */
export async function connectPort(bridge: Bridge, port: Port, call: NetworkCall): Promise<void> {
  const state = await inspectBridge(bridge);
  if (state.foreign)
    throw new ProviderError(
      "invalid_config",
      `local-bridge: ${foreignBridgeText(bridge)}; ${foreignBridgeRemedy}`,
    );
  await refuseOverlap(bridge);
  const lines = planPort(bridge, state, port);
  await call.run("ip", ["-batch", "-"], { ...commandOptions(call), input: `${lines.join("\n")}\n` });
  // The lock is of our state directory only: another daemon may have made its bridge in the same moment.
  if (!state.exists) await refuseOverlap(bridge);
}

/** For people: why the bridge's name cannot be used, and what to do about it. */
export function foreignBridgeText({ name }: Bridge): string {
  return `a link named ${name} exists that does not belong to this state directory`;
}
export const foreignBridgeRemedy = "choose another local-bridge, and another local-subnet";

/** Removes links that exist; those that vanish meanwhile count as removed. Can be repeated. */
export async function removeLinks(names: readonly string[], call: NetworkCall): Promise<void> {
  for (const name of names) {
    if (!(await linkExists(name))) continue;
    try {
      await call.run("ip", ["link", "delete", "dev", name], commandOptions(call));
    } catch (error) {
      if (call.signal.aborted || (await linkExists(name))) throw error;
    }
  }
}

/** Circumstances of a command; the lock of the network goes along as an open file. */
export interface NetworkCall {
  readonly run: Run;
  readonly signal: AbortSignal;
  /** A command that outlives us then keeps the lock, and nobody sees its half-done work. */
  readonly inheritFd: number;
}

/** What there is of the bridge. Another link of the same name makes `foreign`. */
export async function inspectBridge(bridge: Bridge): Promise<BridgeState> {
  const mtu = await linkAttribute(bridge.name, "mtu");
  if (mtu === undefined) return { exists: false, foreign: false, nat: false, mtu: bridge.mtu };
  const alias = (await linkAttribute(bridge.name, "ifalias")) ?? "";
  const nat = alias === bridge.alias + NAT_MARK;
  // The alias can only be given after the link was made; the hardware address tells if just that failed.
  const address = await linkAttribute(bridge.name, "address");
  const unfinished = alias === "" && address === hardwareAddress(gatewayOf(bridge.subnet));
  const foreign = alias !== bridge.alias && !nat && !unfinished;
  return { exists: true, foreign, nat, mtu: Number(mtu) };
}

/** What of a call concerns the command itself. */
export function commandOptions({ signal, inheritFd }: NetworkCall): RunOptions {
  return { signal, inheritFd };
}
