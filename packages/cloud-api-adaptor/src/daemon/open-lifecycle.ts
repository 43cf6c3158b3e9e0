import { connectProvider, systemClock } from "@peerpods/cloud-providers";
import type { Logger, Provider } from "@peerpods/cloud-providers";
import { choosePodTls } from "../pki/configured-tls.ts";
import { NodePki } from "../pki/node-pki.ts";
import { openFileJournal } from "../sandbox/journal/file-journal.ts";
import { Lifecycle } from "../sandbox/lifecycle.ts";
import type { FailedStarts, RelayControl } from "../sandbox/ports.ts";
import { defaultReaping, defaultRetry } from "../sandbox/settings.ts";
import { createGuestPreparation } from "../user-data/guest-preparation.ts";
import type { GuestTls } from "../user-data/guest-preparation.ts";
import type { Kubernetes } from "../kubernetes/open-kubernetes.ts";
import { openClusterIdentity } from "./cluster-id.ts";
import type { ClusterIdentity } from "./cluster-id.ts";
import type { DaemonParts } from "./parts.ts";
import { createLastingRelay } from "./lasting-relay.ts";
import { createPodDirectories } from "./pod-directories.ts";
import type { TlsSettings } from "./settings.ts";
import type { StateDirectory } from "./state-dir.ts";
import { verifyCloudConfig } from "./verify-cloud-config.ts";

/** Limit of the relay's start. */
const RELAY_TIMEOUT_MS = 30_000;
const MIN_REAP_INTERVAL_MS = 500;
const LOCAL_TIMEOUT_MS = 15_000;
/** Longer than a good start takes where machines boot quickly, and rare enough for a cloud that counts its calls. */
const INSTANCE_LOOK_MS = 15_000;
const DELETE_TIMEOUT_MS = 10 * 60_000;

/** Connects to the cloud, and asks it about the configuration when that is wanted. */
export async function openProvider(
  { settings, cloudProvider, providerConfig, env, logger }: DaemonParts,
  { state, signal }: { readonly state: StateDirectory; readonly signal: AbortSignal },
): Promise<Provider> {
  const provider = await connectProvider(cloudProvider, {
    config: providerConfig,
    logger,
    stateDir: await state.provider(cloudProvider.name),
    env,
  });
  try {
    if (settings.verifyCloudConfig) await verifyCloudConfig(provider, { logger, signal });
    return provider;
  } catch (error) {
    await provider.teardown();
    throw error;
  }
}

/** Builds the lifecycle from what is on disk and from the agent relay, which is started when there is none. */
export async function openLifecycle(
  { settings, logger, network, ensureRelay }: DaemonParts,
  {
    state,
    provider,
    failedStarts,
    kubernetes,
    signal,
  }: {
    readonly state: StateDirectory;
    readonly provider: Provider;
    readonly failedStarts: FailedStarts;
    readonly kubernetes: Kubernetes | undefined;
    readonly signal: AbortSignal;
  },
): Promise<{ lifecycle: Lifecycle; relay: RelayControl; clusterIdentity: ClusterIdentity }> {
  const ensure = (options: { readonly signal: AbortSignal }) =>
    ensureRelay({
      socketPath: settings.relaySocketPath,
      launch: settings.relayLaunch,
      stateDir: state.path,
      logger,
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(RELAY_TIMEOUT_MS)]),
    });
  const opening = [
    ensure({ signal }),
    openTls(settings.tls, { state, logger }),
    openFileJournal(state.journal),
    openClusterIdentity({
      setting: settings.clusterId,
      stateDir: state.path,
      ...(kubernetes === undefined ? {} : { ask: (options) => kubernetes.clusterId(options) }),
      clock: systemClock,
      logger,
    }),
  ] as const;
  // Side by side, since the first start makes keys and starts a process; and none is left behind when another fails.
  await Promise.allSettled(opening);
  const [found, tls, journal, clusterIdentity] = await Promise.all(opening);
  const relay = createLastingRelay(found, ensure);
  const lifecycle = new Lifecycle({
    provider,
    relay,
    network,
    guest: createGuestPreparation({
      ...(tls === undefined ? {} : { tls }),
      defaultInitdata: settings.initdata,
      scratchSpace: settings.scratchSpace,
      ...(kubernetes === undefined ? {} : { pullSecrets: kubernetes.pullSecrets }),
    }),
    ...(kubernetes === undefined ? {} : { cluster: kubernetes.records }),
    directories: createPodDirectories(settings.podsDir),
    journal,
    failedStarts,
    clock: systemClock,
    logger,
    minVni: settings.network.minVni,
    settings: {
      clusterId: () => clusterIdentity.current(),
      nodeName: settings.nodeName,
      maxSandboxes: settings.maxSandboxes,
      forwarderPort: settings.forwarderPort,
      connectTimeoutMs: settings.connectTimeoutMs,
      instanceLookMs: INSTANCE_LOOK_MS,
      deleteTimeoutMs: DELETE_TIMEOUT_MS,
      localTimeoutMs: LOCAL_TIMEOUT_MS,
      reaping: {
        ...defaultReaping,
        lostGraceMs: settings.reapGraceMs,
        intervalMs: Math.max(MIN_REAP_INTERVAL_MS, Math.min(defaultReaping.intervalMs, settings.reapGraceMs)),
      },
      retry: defaultRetry,
    },
  });
  return { lifecycle, relay, clusterIdentity };
}

async function openTls(
  tls: TlsSettings | undefined,
  { state, logger }: { readonly state: StateDirectory; readonly logger: Logger },
): Promise<GuestTls | undefined> {
  if (tls === undefined) return undefined;
  const node = new NodePki({ dir: state.pki, clock: systemClock, logger });
  const source = await choosePodTls(tls.files, node);
  if (source === node) await node.load();
  return { source, profile: tls.profile, client: tls.client };
}
