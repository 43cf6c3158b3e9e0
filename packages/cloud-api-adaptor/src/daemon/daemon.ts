import { join } from "node:path";
import { loadX509 } from "../pki/load-x509.ts";
import { observeProvider } from "../observability/observe-provider.ts";
import type { Kubernetes } from "../kubernetes/open-kubernetes.ts";
import { openTelemetry } from "../observability/telemetry.ts";
import type { Telemetry } from "../observability/telemetry.ts";
import { packageVersion as version } from "../release.ts";
import type { DaemonParts } from "./parts.ts";
import { openFailedStarts } from "./failed-starts.ts";
import { openStateDirectory } from "./state-dir.ts";
import { openLifecycle, openProvider } from "./open-lifecycle.ts";
import { serve } from "./serve.ts";

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
  const telemetry = stack.use(
    await openTelemetry({
      metrics: settings.probePort > 0,
      env: parts.env,
      version,
      provider: parts.cloudProvider.name,
      node: settings.nodeName,
      sandboxLimit: settings.maxSandboxes,
      logger,
    }),
  );
  const provider = observeProvider(await openProvider(parts, { state, signal }), {
    tell: telemetry.observer.providerCall,
  });
  stack.defer(() => provider.teardown());
  const failedStarts = await openFailedStarts(join(state.path, "failed-starts"), { provider, logger });
  const kubernetes = stack.use(await joinCluster(parts, telemetry));
  const { lifecycle, relay, clusterIdentity } = await openLifecycle(parts, {
    state,
    provider,
    failedStarts,
    kubernetes,
    signal,
  });
  stack.use(clusterIdentity);
  stack.use(lifecycle);
  const { adopted, ending, quarantined } = await lifecycle.recover({ signal });
  for (const entry of quarantined) logger.error({ ...entry }, "journal entry cannot be read");
  if (adopted.length + ending.length > 0)
    logger.info({ adopted, ending }, "took over from an earlier daemon");
  telemetry.follow(lifecycle, relay, { peerPodsBehind: kubernetes?.peerPodsBehind });
  kubernetes?.follow(lifecycle);

  const { hypervisor } = stack.use(
    await serve(parts, { lifecycle, relay, provider, failedStarts, telemetry }),
  );
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
      await Promise.all([hypervisor.shutdown(limit), lifecycle.close(limit), kubernetes?.withdraw(limit)]);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Kubernetes is loaded only where there is some: its client is larger than the rest of the daemon. */
async function joinCluster(
  { settings, cloudProvider, env, logger }: DaemonParts,
  { observer }: Pick<Telemetry, "observer">,
): Promise<Kubernetes | undefined> {
  if (settings.kubernetes === undefined) return undefined;
  const { openKubernetes } = await import("../kubernetes/open-kubernetes.ts");
  return openKubernetes(settings.kubernetes, {
    cloudProvider: cloudProvider.name,
    env,
    logger,
    observe: observer.kubernetesRequest,
  });
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
