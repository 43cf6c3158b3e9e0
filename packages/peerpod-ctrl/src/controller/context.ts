import type { Clock, Logger } from "@peerpods/cloud-providers";
import type { PeerPodClient } from "../api/client.ts";
import type { EventRecorder } from "../kubernetes/event-recorder.ts";
import type { Observer } from "./observer.ts";
import type { ProviderPool } from "./provider-pool.ts";

/** What every part of the controller works with. */
export interface ControllerContext {
  readonly peerPods: PeerPodClient;
  readonly recorder: EventRecorder;
  readonly providers: ProviderPool;
  /** Tag value of this cluster's instances. */
  readonly clusterId: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Limit of one deletion, until the cloud has confirmed it. */
  readonly cloudTimeoutMs: number;
  /** When a deletion takes longer, the status says so. */
  readonly slowMs: number;
  /** Aborts cloud calls when the program's time to stop is over. */
  readonly signal: AbortSignal;
}
