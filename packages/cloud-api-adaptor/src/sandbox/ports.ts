/**
 * Everything the lifecycle needs from outside, as interfaces. Their implementations are built in `daemon/` (or are fakes
 * in tests); nothing in this folder opens a socket, starts a process or reads a clock by itself. The cloud is
 * `Provider` of `@peerpods/cloud-providers`.
 */

import type { WaitOptions } from "./relay-port.ts";

export type {
  RelayControl,
  RelayEvent,
  RelayHello,
  RelayOpenRequest,
  RelaySandbox,
  RelayTarget,
  RelayTls,
  RelayTraffic,
  WaitOptions,
} from "./relay-port.ts";

/** Time, so that retries and grace periods need no waiting in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`; rejects with `signal.reason` when aborted before. */
  sleep(ms: number, options: WaitOptions): Promise<void>;
}
