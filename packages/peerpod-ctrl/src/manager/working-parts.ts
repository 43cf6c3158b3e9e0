import { systemClock, type Logger, type ProviderSources } from "@peerpods/cloud-providers";
import { clusterIdOf } from "../api/cluster-id.ts";
import { createPeerPodClient } from "../api/client.ts";
import type { ControllerContext } from "../controller/context.ts";
import type { Observer } from "../controller/observer.ts";
import { createProviderPool } from "../controller/provider-pool.ts";
import { watchSettings, type SettingsSource } from "../controller/settings.ts";
import { createEventRecorder } from "../kubernetes/event-recorder.ts";
import { isKubernetesError } from "../kubernetes/errors.ts";
import type { KubeClient } from "../kubernetes/kube-client.ts";
import type { ManagerSettings } from "./options.ts";

/** When a deletion takes longer than this, the PeerPod's status says so. */
const SLOW_MS = 5_000;

/** What is opened for work, be it the controller's or one sweep's. */
export interface WorkingParts extends AsyncDisposable {
  readonly context: ControllerContext;
  readonly settings: SettingsSource;
  /** The provider that the configuration names, if it does. */
  readonly configuredProviders: () => readonly string[];
}

export interface OpenOptions {
  readonly kube: KubeClient;
  readonly manager: ManagerSettings;
  readonly sources: ProviderSources;
  readonly instance: string;
  readonly logger: Logger;
  readonly observer: Observer;
  /** Ends the opening. */
  readonly stop: AbortSignal;
  /** Cuts everything short that is done with the parts. */
  readonly signal: AbortSignal;
  readonly onSettings: () => void;
}

/**
 * Opens configuration, providers and Events, and waits until the configuration is read: without it a provider would look
 * in the wrong place and find nothing to delete.
 * @throws stop.reason; KubernetesError when the cluster id may not be read.
 */
export async function openWorkingParts(options: OpenOptions): Promise<WorkingParts> {
  const { kube, manager, sources, instance, logger, observer, stop, signal, onSettings } = options;
  await using parts = new AsyncDisposableStack();
  const recorder = createEventRecorder(kube, { component: "peerpod-ctrl", instance, logger });
  parts.defer(() => recorder.flush());
  const { namespace, configMap, secret } = manager;
  const settings = parts.use(
    watchSettings(kube, { namespace, configMap, secret, logger, signal, onChange: onSettings }),
  );
  const clusterId = await readClusterId(options);
  await Promise.race([settings.synced, aborted(stop)]);
  const providers = parts.use(
    createProviderPool({
      sources,
      settings: () => settings.current(),
      stateDir: manager.stateDir,
      logger,
      clock: systemClock,
    }),
  );
  const owned = parts.move();
  return {
    settings,
    configuredProviders: () =>
      [settings.current().values["CLOUD_PROVIDER"] ?? ""].filter((name) => name !== ""),
    context: {
      peerPods: createPeerPodClient(kube),
      recorder,
      providers,
      clusterId,
      logger,
      clock: systemClock,
      observer,
      cloudTimeoutMs: manager.cloudTimeoutMs,
      slowMs: SLOW_MS,
      signal,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** An API server that is away comes back; a right that is missing does not come by waiting. */
async function readClusterId({ kube, manager, logger, stop: signal }: OpenOptions): Promise<string> {
  for (;;) {
    try {
      return await clusterIdOf(kube, manager.clusterId, { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!isKubernetesError(error) || !error.retryable) throw error;
      logger.warn({ err: error }, "cluster id cannot be read, tried again");
      await systemClock.sleep(2_000, { signal });
    }
  }
}

/** Rejects when the signal aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}
