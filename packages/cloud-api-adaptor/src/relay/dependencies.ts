import type { Logger } from "@peerpods/cloud-providers";
import type { CreateContainerFacts } from "./calls/create-container.ts";
import { defaultDialPolicy } from "./vm/dial.ts";
import type { DialPolicy } from "./vm/dial.ts";

/** What the relay needs from outside. */
export interface RelayDependencies {
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly facts: CreateContainerFacts;
}

/** Limits of a relay. */
export interface RelayLimits {
  /** Sandboxes at once. Default 1 000. */
  readonly maxSandboxes: number;
  /** Connections on one agent socket at once; a shim needs one, the Rust shim two. Default 8. */
  readonly maxConnectionsPerSandbox: number;
  /** How long a lost VM connection is dialled again before the VM is given up. Default 2 min. */
  readonly reconnectTimeoutMs: number;
  /**
   * How long the agent may stay silent after a health check before its connection counts as dead. The shim kills the
   * pod after 30 s, so it must be less. Default 20 s.
   */
  readonly silenceTimeoutMs: number;
  readonly dialPolicy: DialPolicy;
}

export const defaultRelayLimits: RelayLimits = {
  maxSandboxes: 1_000,
  maxConnectionsPerSandbox: 8,
  reconnectTimeoutMs: 120_000,
  silenceTimeoutMs: 20_000,
  dialPolicy: defaultDialPolicy,
};
