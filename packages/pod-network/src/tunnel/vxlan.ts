import { type Command, command, joined } from "../driver/batch.ts";
import type { LinkAnswer } from "../driver/answers.ts";

/** What tells one tunnel from every other, and where it leads. */
export interface TunnelEnd {
  /** VXLAN network identifier. */
  readonly vxlanId: number;
  /** UDP port. */
  readonly vxlanPort: number;
  /** IPv4 address of the other end. */
  readonly remote: string;
}

interface VxlanLink extends TunnelEnd {
  readonly name: string;
  /** Path of the namespace the link appears in. */
  readonly netns: string;
  readonly mtu: number;
  readonly hwAddr?: string | undefined;
  /** Leaves it down, so that it can be given another name. Default: it is set up. */
  readonly stayDown?: boolean;
}

/**
 * Makes a VXLAN link in another namespace and sets it up. Its name must be free in the machine's own namespace too: Linux 6.1,
 * unlike 6.18, looks there whether it is taken.
 *
 * Run in the machine's own namespace: a link made with `netns` keeps its UDP socket where it was made, so the tunnel
 * goes over the machine's network while the link is the pod's. Making it elsewhere and moving it costs a grace
 * period of the kernel.
 */
export function addVxlanLink(link: VxlanLink): Command {
  const { name, netns, mtu, hwAddr, stayDown = false, vxlanId, vxlanPort, remote } = link;
  return joined(
    command`link add ${name} mtu ${mtu}`,
    hwAddr ? command`address ${hwAddr}` : undefined,
    stayDown ? undefined : command`up`,
    command`netns ${netns} type vxlan id ${vxlanId} remote ${remote} dstport ${vxlanPort} nolearning`,
  );
}

/** The command that lists VXLAN links; ask with `details`. */
export const listVxlanLinks: Command = command`link show type vxlan`;

/** Whether the link is the given tunnel's. The id alone decides: no two tunnels of a machine share it. */
export function isTunnelLink(link: LinkAnswer, vxlanId: number): boolean {
  return link.linkinfo?.info_kind === "vxlan" && link.linkinfo.info_data?.id === vxlanId;
}
