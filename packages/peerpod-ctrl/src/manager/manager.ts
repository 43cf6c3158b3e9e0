import { systemClock, type Logger, type ProviderSources } from "@peerpods/cloud-providers";
import { createController, type Controller } from "../controller/controller.ts";
import { sweep } from "../controller/sweep/sweep.ts";
import type { KubeClient } from "../kubernetes/kube-client.ts";
import { liveness, readiness, type HealthFacts } from "./health.ts";
import { serveHttp } from "./http-server.ts";
import { lead } from "./leader-election.ts";
import type { ManagerMetrics } from "./metrics.ts";
import type { ManagerSettings } from "./options.ts";
import { openWorkingParts, type WorkingParts } from "./working-parts.ts";

export interface ManagerParts {
  readonly settings: ManagerSettings;
  readonly kube: KubeClient;
  readonly sources: ProviderSources;
  readonly metrics: ManagerMetrics;
  readonly logger: Logger;
  /** Unique to this process; also the holder of the lease. */
  readonly identity: string;
  /** When the API server last answered. */
  readonly lastContactMs: () => number | undefined;
}

/**
 * Runs endpoints, election, controller and sweeps until `stop`. What is in work then may end; after `stopGraceMs` it is
 * cut short. The lease is released last.
 * @throws Error when an address is taken, the lease is lost, or the cluster id may not be read.
 */
export async function runManager(parts: ManagerParts, stop: AbortSignal): Promise<void> {
  const { settings, kube, metrics, logger, identity } = parts;
  await using servers = new AsyncDisposableStack();
  let running: { readonly controller: Controller; readonly opened: WorkingParts } | undefined;
  let leading = !settings.leaderElect;

  const facts = (): HealthFacts => ({
    lastContactMs: parts.lastContactMs(),
    leading,
    synced: (running?.controller.informer.lists ?? 0) > 0,
    stale: running?.controller.informer.stale() ?? running?.opened.settings.stale(),
    inWork: running?.controller.queue.inWork() ?? [],
  });
  metrics.watch(() => {
    const all = running?.controller.informer.list() ?? [];
    return {
      queueDepth: running?.controller.queue.depth ?? 0,
      inWork: running?.controller.queue.inWork().length ?? 0,
      peerPods: all.length,
      deleting: all.filter(({ metadata }) => metadata.deletionTimestamp !== undefined).length,
      leading,
    };
  });
  if (settings.healthAddress !== "")
    servers.use(
      await serveHttp(settings.healthAddress, {
        "/healthz": () => liveness(facts(), { limitMs: settings.cloudTimeoutMs }),
        "/readyz": () => readiness(facts(), Date.now()),
      }),
    );
  if (settings.metricsAddress !== "")
    servers.use(
      await serveHttp(settings.metricsAddress, {
        "/metrics": async () => ({ status: 200, ...(await metrics.text()) }),
      }),
    );

  async function work(signals: { readonly stop: AbortSignal; readonly lost: AbortSignal }): Promise<void> {
    const hard = new AbortController();
    using _grace = abortAfter(signals.stop, { hard, graceMs: settings.stopGraceMs });
    signals.lost.addEventListener("abort", () => hard.abort(signals.lost.reason), { once: true });
    try {
      await using opened = await openWorkingParts({
        ...parts,
        manager: settings,
        instance: identity,
        observer: metrics.observer,
        stop: signals.stop,
        signal: hard.signal,
        onSettings: () => running?.controller.retryAll(),
      });
      const controller = createController(opened.context, { workers: settings.workers });
      running = { controller, opened };
      await Promise.all([controller.run(signals.stop), sweepOnSchedule(parts, opened, signals.stop)]);
    } catch (error) {
      if (!signals.stop.aborted) throw error;
      logger.debug({ err: error }, "work was cut short");
    } finally {
      running = undefined;
    }
  }

  if (!settings.leaderElect) return await work({ stop, lost: new AbortController().signal });
  const { namespace, leaseName: name } = settings;
  await lead(
    kube,
    { namespace, name, identity, clock: systemClock, logger, stop, onContact: (held) => (leading = held) },
    work,
  );
}

async function sweepOnSchedule(
  { settings, kube, logger }: ManagerParts,
  { context, configuredProviders }: WorkingParts,
  stop: AbortSignal,
): Promise<void> {
  const known = new Map<string, number>();
  const { sweepIntervalMs, sweepGraceMs: graceMs } = settings;
  if (sweepIntervalMs <= 0) return;
  while (!stop.aborted) {
    try {
      const report = await sweep(
        { kube, providers: configuredProviders(), graceMs, dryRun: false, known },
        context,
      );
      logger.info({ instances: report.instances.length, skipped: report.skipped }, "swept");
    } catch (err) {
      if (!stop.aborted) logger.warn({ err }, "sweep failed, tried again at its next time");
    }
    await systemClock.sleep(sweepIntervalMs, { signal: stop }).catch(() => undefined);
  }
}

/** Aborts `hard` some time after `stop`, unless disposed before. */
function abortAfter(
  stop: AbortSignal,
  { hard, graceMs }: { readonly hard: AbortController; readonly graceMs: number },
): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer = setTimeout(() => hard.abort(new DOMException("the time to stop is over", "AbortError")), graceMs);
  };
  if (stop.aborted) begin();
  else stop.addEventListener("abort", begin, { once: true });
  return {
    [Symbol.dispose]() {
      stop.removeEventListener("abort", begin);
      clearTimeout(timer);
      // What still waits for anything, such as a watch, ends now.
      hard.abort(new DOMException("stopped", "AbortError"));
    },
  };
}
