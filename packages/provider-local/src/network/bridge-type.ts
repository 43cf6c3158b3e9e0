import type { Subnet } from "./subnet.ts";

/** The bridge that joins the pod VMs of one state directory with this machine. */
export interface Bridge {
  readonly name: string;
  readonly subnet: Subnet;
  /** Used when the bridge is made; afterwards its own MTU counts. */
  readonly mtu: number;
  /** Marks the bridge as ours (`ip link` shows it as the alias), so that nobody else's bridge is used or removed. */
  readonly alias: string;
  /** Whether address translation goes with it; see `nat.ts`. */
  readonly nat: boolean;
}

/** Begins the alias of every bridge of this provider; the state directory's key follows. */
export const ALIAS_PREFIX = "peerpods-local-";
