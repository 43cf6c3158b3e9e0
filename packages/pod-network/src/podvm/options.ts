import { guestPaths } from "@peerpods/podvm-contract";

/** How the VM's end is set up. */
export interface PodVMNetworkOptions {
  /** Ends waiting. What has been changed by then is undone. */
  readonly signal: AbortSignal;
  /** Path of the containers' network namespace, which must exist; default `/run/netns/podns`. */
  readonly netnsPath?: string | undefined;
  /** Interface of the tunnel in dedicated mode (`-host-interface`). */
  readonly hostInterface?: string | undefined;
  /** How long to wait for the VM's network, default 3 minutes. */
  readonly networkTimeoutMs?: number | undefined;
  /** Pause between two looks at it, default 250 ms. */
  readonly pollIntervalMs?: number | undefined;
}

export const defaultPodNetns: string = guestPaths.podNetns;
export const defaultNetworkTimeoutMs = 180_000;
export const defaultPollIntervalMs = 250;
