import type { Logger, Provider } from "@peerpods/cloud-providers";
import type { IndexAllocator } from "./index-allocator.ts";
import type {
  Clock,
  ClusterRecords,
  FailedStarts,
  GuestPreparation,
  Journal,
  PodDirectories,
  PodNetwork,
  RelayControl,
} from "./ports.ts";
import type { LifecycleSettings } from "./settings.ts";

/** What the lifecycle is built from. */
export interface LifecycleParts {
  /** Held to the contract by `connectProvider` or `guardProvider`: it answers, and answers what can be used. */
  readonly provider: Provider;
  readonly relay: RelayControl;
  readonly network: PodNetwork;
  readonly guest: GuestPreparation;
  readonly directories: PodDirectories;
  readonly journal: Journal;
  /** Absent: there is no cluster. */
  readonly cluster?: ClusterRecords;
  /** Absent: what failed guests wrote is not kept. */
  readonly failedStarts?: Pick<FailedStarts, "keep">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: LifecycleSettings;
}

/** What the lifecycle's own files share. */
export interface LifecycleContext extends LifecycleParts {
  readonly indices: IndexAllocator;
  /** Aborts when the daemon ends. Work in the background stops then, and goes on after the next start. */
  readonly signal: AbortSignal;
}
