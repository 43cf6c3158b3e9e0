import { systemClock } from "@peerpods/cloud-providers";
import type { Logger } from "@peerpods/cloud-providers";
import type { Lifecycle } from "../sandbox/lifecycle.ts";
import type { RelayControl } from "../sandbox/ports.ts";
import { followLifecycle, followRelay } from "./follow.ts";
import { createMetrics, type ClusterSource, type Metrics } from "./metrics/metrics.ts";
import { combineObservers, type Observer } from "./observer.ts";
import { openTracing } from "./tracing/open-tracing.ts";

/** All that measures the daemon. Disposal ends the following and sends the last traces. */
export interface Telemetry extends AsyncDisposable {
  readonly observer: Required<Observer>;
  /** Absent when nobody could ask for them. */
  readonly metrics: Metrics | undefined;
  /** From now on these are followed; called once, after the recovery. */
  follow(
    lifecycle: Pick<Lifecycle, "list" | "waitUntil">,
    relay: Pick<RelayControl, "list" | "watch">,
    cluster: ClusterSource,
  ): void;
}

export interface TelemetryOptions {
  /** Whether there is an endpoint for metrics. */
  readonly metrics: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly provider: string;
  readonly node: string;
  /** Negative: no limit. */
  readonly sandboxLimit: number;
  readonly logger: Logger;
}

/** Loads only what is configured: metrics with the probe endpoint, traces with a collector. */
export async function openTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const [metrics, tracing] = await Promise.all([
    options.metrics ? createMetrics(options) : undefined,
    openTracing(options),
  ]);
  const observers = [metrics, tracing?.observer].filter((observer) => observer !== undefined);
  const observer = combineObservers(observers);
  const stack = new AsyncDisposableStack();
  if (tracing !== undefined) stack.use(tracing);
  return {
    observer,
    metrics,
    follow: (lifecycle, relay, { peerPodsBehind }) => {
      if (observers.length === 0) return;
      metrics?.watch({ list: () => lifecycle.list(), relay, peerPodsBehind });
      stack.use(followLifecycle(lifecycle, observer, () => systemClock.now()));
      // Only traces wait for the first container; metrics ask the relay when they are asked.
      if (tracing !== undefined)
        stack.use(
          followRelay(relay, observer, {
            logger: options.logger,
            sleep: (ms, wait) => systemClock.sleep(ms, wait),
          }),
        );
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
