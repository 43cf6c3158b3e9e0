/** Numbers and names that the lifecycle is told once. Every time is in milliseconds. */
export interface LifecycleSettings {
  /** With the node's name marks every cloud resource of a sandbox. Asked when one is created, which then keeps it. */
  readonly clusterId: () => string;
  readonly nodeName: string;
  /** Sandboxes that may exist at once, not counting those that are being removed. Negative is no limit. */
  readonly maxSandboxes: number;
  readonly forwarderPort: number;
  /** Limit for reaching the forwarder after the instance exists. */
  readonly connectTimeoutMs: number;
  /** How often the cloud is asked, until then, whether the instance is still there; see `whileInstanceLives`. */
  readonly instanceLookMs: number;
  /** Limit of one provider call that deletes. */
  readonly deleteTimeoutMs: number;
  /** Limit of one removal step on this node (relay, tunnel, directory). */
  readonly localTimeoutMs: number;
  readonly reaping: ReapingSettings;
  readonly retry: RetrySettings;
}

/** How long a sandbox whose StopVM does not come is kept. */
export interface ReapingSettings {
  /** How often the sandboxes are looked at. */
  readonly intervalMs: number;
  /** Created, but StartVM never came. */
  readonly createdGraceMs: number;
  /** Running, but no shim ever dialled. */
  readonly shimDialGraceMs: number;
  /** The shim's connection is gone for good, or the VM's. */
  readonly lostGraceMs: number;
}

/** Pauses between the tries of a removal, doubling from `minMs` to `maxMs`. */
export interface RetrySettings {
  readonly minMs: number;
  readonly maxMs: number;
}

export const defaultReaping: ReapingSettings = {
  intervalMs: 10_000,
  createdGraceMs: 15 * 60_000,
  shimDialGraceMs: 5 * 60_000,
  lostGraceMs: 30_000,
};

export const defaultRetry: RetrySettings = { minMs: 1_000, maxMs: 60_000 };
