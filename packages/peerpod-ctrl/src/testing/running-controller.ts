import { tmpdir } from "node:os";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  createProviderRegistry,
  silentLogger,
  systemClock,
  type CloudProvider,
} from "@peerpods/cloud-providers";
import type { ControllerContext } from "../controller/context.ts";
import { createController, type Controller } from "../controller/controller.ts";
import { silentObserver } from "../controller/observer.ts";
import { createProviderPool } from "../controller/provider-pool.ts";
import { watchSettings, type Settings } from "../controller/settings.ts";
import { createPeerPodClient } from "../api/client.ts";
import { createEventRecorder } from "../kubernetes/event-recorder.ts";
import type { KubeClient } from "../kubernetes/kube-client.ts";

export interface RunningController extends AsyncDisposable {
  readonly controller: Controller;
  readonly context: ControllerContext;
  readonly settings: () => Settings;
}

/** A controller in this process, without election. */
export async function runController(
  kube: KubeClient,
  providers: readonly CloudProvider[],
  change: Partial<ControllerContext> & { workers?: number; configMap?: string } = {},
): Promise<RunningController> {
  await using parts = new AsyncDisposableStack();
  const stateDir = await mkdtemp(join(tmpdir(), "peerpod-ctrl-"));
  parts.defer(() => rm(stateDir, { recursive: true, force: true }));
  const ending = new AbortController();
  const recorder = createEventRecorder(kube, {
    component: "peerpod-ctrl",
    instance: "test",
    logger: silentLogger,
  });
  parts.defer(() => recorder.flush());
  const settings = parts.use(
    watchSettings(kube, {
      namespace: "default",
      configMap: change.configMap ?? "peer-pods-cm",
      secret: "peer-pods-secret",
      logger: silentLogger,
      signal: ending.signal,
      onChange: () => started?.retryAll(),
    }),
  );
  await settings.synced;
  const pool = parts.use(
    createProviderPool({
      sources: {
        registry: createProviderRegistry(providers),
        env: {},
        importPackage: (specifier) => import(specifier) as Promise<unknown>,
      },
      settings: settings.current,
      stateDir,
      logger: silentLogger,
      clock: systemClock,
    }),
  );
  const context: ControllerContext = {
    peerPods: createPeerPodClient(kube),
    recorder,
    providers: pool,
    clusterId: "c1",
    logger: silentLogger,
    clock: systemClock,
    observer: silentObserver,
    cloudTimeoutMs: 20_000,
    slowMs: 60_000,
    signal: ending.signal,
    ...change,
  };
  const started: Controller = createController(context, {
    workers: change.workers ?? 4,
    backoffMs: [100, 1_000],
  });
  const done = started.run(ending.signal);
  parts.defer(async () => {
    ending.abort();
    await done;
  });
  await started.informer.synced;
  const owned = parts.move();
  return {
    controller: started,
    context,
    settings: settings.current,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
