import { systemClock } from "@peerpods/cloud-providers";
import type { CloudProvider, Logger, OptionValues, Provider } from "@peerpods/cloud-providers";
import { createTtrpcServer } from "@peerpods/ttrpc";
import { controlRoutes } from "../control/service.ts";
import { hypervisorRoutes } from "../hypervisor/routes.ts";
import { choosePodTls } from "../pki/configured-tls.ts";
import { loadX509 } from "../pki/load-x509.ts";
import { NodePki } from "../pki/node-pki.ts";
import { openFileJournal } from "../sandbox/journal/file-journal.ts";
import { Lifecycle } from "../sandbox/lifecycle.ts";
import type { PodNetwork, RelayControl } from "../sandbox/ports.ts";
import { defaultReaping, defaultRetry } from "../sandbox/settings.ts";
import { createGuestPreparation } from "../user-data/guest-preparation.ts";
import type { GuestTls } from "../user-data/guest-preparation.ts";
import { claimSocketPath, isServed } from "./claim-socket-path.ts";
import { clusterIdOf } from "./cluster-id.ts";
import { createLastingRelay } from "./lasting-relay.ts";
import { createPodDirectories } from "./pod-directories.ts";
import { serveProbe } from "./probe.ts";
import type { ServiceNotifier } from "./sd-notify.ts";
import type { DaemonSettings, TlsSettings } from "./settings.ts";
import { openStateDirectory } from "./state-dir.ts";
import type { StateDirectory } from "./state-dir.ts";
import { verifyCloudConfig } from "./verify-cloud-config.ts";
import { version } from "../version.ts";

/** Limit of the relay's start. */
const RELAY_TIMEOUT_MS = 15_000;
const MIN_REAP_INTERVAL_MS = 500;
const LOCAL_TIMEOUT_MS = 15_000;
const DELETE_TIMEOUT_MS = 10 * 60_000;

/** What the program file knows and the daemon does not. */
export interface DaemonParts {
  readonly settings: DaemonSettings;
  readonly cloudProvider: CloudProvider;
  /** Values of the provider's own options. */
  readonly providerConfig: OptionValues;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly notifier: ServiceNotifier;
  readonly network: PodNetwork;
  /** Starts or finds the agent relay on this socket and returns its control. */
  readonly ensureRelay: (options: EnsureRelayOptions) => Promise<RelayControl>;
}

export interface EnsureRelayOptions {
  readonly socketPath: string;
  /** Where a relay that has no service manager may keep its log. */
  readonly stateDir: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Runs the daemon until `signal` aborts, then ends it in order, within `settings.shutdownTimeoutMs`. Pods and the agent
 * relay live on. What was begun is undone or goes on at the next start.
 * @throws Error when the daemon could not start; nothing it made stays then.
 */
export async function runDaemon(parts: DaemonParts, signal: AbortSignal): Promise<void> {
  await using daemon = await startDaemon(parts, signal);
  await aborted(signal);
  parts.logger.info({ reason: String(signal.reason) }, "ending");
  await parts.notifier.notify("STOPPING=1");
  await daemon.end();
}

interface Daemon extends AsyncDisposable {
  /** Ends in order: no new calls, then what is under way, then the provider. */
  end(): Promise<void>;
}

async function startDaemon(parts: DaemonParts, signal: AbortSignal): Promise<Daemon> {
  const { settings, logger } = parts;
  await using stack = new AsyncDisposableStack();
  const state = stack.use(await openStateDirectory(settings.stateDir));
  const provider = await openProvider(parts, { state, signal });
  stack.defer(() => provider.teardown());
  const { lifecycle, relay } = await openLifecycle(parts, { state, provider, signal });
  stack.use(lifecycle);
  const { adopted, ending, quarantined } = await lifecycle.recover({ signal });
  for (const entry of quarantined) logger.error({ ...entry }, "journal entry cannot be read");
  if (adopted.length + ending.length > 0)
    logger.info({ adopted, ending }, "took over from an earlier daemon");

  const server = stack.use(
    createTtrpcServer(
      hypervisorRoutes(lifecycle, {
        podsDir: settings.podsDir,
        multiNic: settings.network.externalNetViaPodVm,
        logger,
      }),
      { logger },
    ),
  );
  await claimSocketPath(settings.socketPath, "socket");
  await server.listen({ path: settings.socketPath });
  const control = stack.use(
    createTtrpcServer(
      controlRoutes({
        lifecycle,
        relay,
        version,
        provider: parts.cloudProvider.name,
        hypervisorSocket: settings.socketPath,
        sandboxLimit: settings.maxSandboxes,
        startedAtMs: systemClock.now(),
      }),
      { logger },
    ),
  );
  await claimSocketPath(settings.controlSocketPath, "control-socket");
  await control.listen({ path: settings.controlSocketPath });
  if (settings.probePort > 0) {
    stack.use(await serveProbe({ isReady: () => isServed(settings.socketPath) }, settings.probePort));
  }
  const reaping = new AbortController();
  const reaped = lifecycle.reapForever(reaping);
  stack.defer(async () => {
    reaping.abort();
    await reaped;
  });
  signal.throwIfAborted();
  logger.info(
    { provider: parts.cloudProvider.name, socket: settings.socketPath, node: settings.nodeName },
    "ready",
  );
  await parts.notifier.notify("READY=1");
  // Takes a tenth of a second: better now than when the first pod waits.
  if (settings.tls !== undefined) {
    loadX509().catch((error: unknown) => logger.error({ err: error }, "certificates cannot be made"));
  }

  const resources = stack.move();
  return {
    end: async () => {
      const limit = { signal: AbortSignal.timeout(settings.shutdownTimeoutMs) };
      const drained = server.shutdown(limit);
      await lifecycle.close(limit);
      await drained;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function openProvider(
  { settings, cloudProvider, providerConfig, env, logger }: DaemonParts,
  { state, signal }: { readonly state: StateDirectory; readonly signal: AbortSignal },
): Promise<Provider> {
  const provider = await cloudProvider.newProvider({
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

async function openLifecycle(
  { settings, logger, network, ensureRelay }: DaemonParts,
  {
    state,
    provider,
    signal,
  }: { readonly state: StateDirectory; readonly provider: Provider; readonly signal: AbortSignal },
): Promise<{ lifecycle: Lifecycle; relay: RelayControl }> {
  const ensure = (options: { readonly signal: AbortSignal }) =>
    ensureRelay({
      socketPath: settings.relaySocketPath,
      stateDir: state.path,
      logger,
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(RELAY_TIMEOUT_MS)]),
    });
  const opening = [
    ensure({ signal }),
    openTls(settings.tls, { state, logger }),
    openFileJournal(state.journal),
    clusterIdOf(settings.clusterId, state.path),
  ] as const;
  // Side by side, since the first start makes keys and starts a process; and none is left behind when another fails.
  await Promise.allSettled(opening);
  const [found, tls, journal, clusterId] = await Promise.all(opening);
  const relay = createLastingRelay(found, ensure);
  const lifecycle = new Lifecycle({
    provider,
    relay,
    network,
    guest: createGuestPreparation({
      ...(tls === undefined ? {} : { tls }),
      defaultInitdata: settings.initdata,
      scratchSpace: settings.scratchSpace,
    }),
    directories: createPodDirectories(settings.podsDir),
    journal,
    clock: systemClock,
    logger,
    minVni: settings.network.minVni,
    settings: {
      clusterId,
      nodeName: settings.nodeName,
      maxSandboxes: settings.maxSandboxes,
      forwarderPort: settings.forwarderPort,
      connectTimeoutMs: settings.connectTimeoutMs,
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
  return { lifecycle, relay };
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

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
