import type { CloudProvider, Logger, OptionValues } from "@peerpods/cloud-providers";
import type { DescribedOption } from "../control/service.ts";
import type { PodNetwork, RelayControl } from "../sandbox/ports.ts";
import type { RecentLog } from "./recent-log.ts";
import type { ServiceNotifier } from "./sd-notify.ts";
import type { DaemonSettings } from "./settings.ts";

/** What the program file knows and the daemon does not. */
export interface DaemonParts {
  readonly settings: DaemonSettings;
  readonly cloudProvider: CloudProvider;
  /** Values of the provider's own options. */
  readonly providerConfig: OptionValues;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** What the control socket tells of the options and the log. */
  readonly options: readonly DescribedOption[];
  readonly recentLog: Pick<RecentLog, "lines">;
  readonly notifier: ServiceNotifier;
  readonly network: PodNetwork;
  /** Starts or finds the agent relay on this socket and returns its control. */
  readonly ensureRelay: (options: EnsureRelayOptions) => Promise<RelayControl>;
}

export interface EnsureRelayOptions {
  readonly socketPath: string;
  /** False: somebody else runs it, and it is waited for. */
  readonly launch: boolean;
  /** Where a relay that has no service manager may keep its log. */
  readonly stateDir: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}
