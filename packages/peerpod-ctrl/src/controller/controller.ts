import { keyOf, startInformer, type Change, type Informer } from "../kubernetes/informer.ts";
import type { PeerPod } from "../api/peerpod.ts";
import type { ControllerContext } from "./context.ts";
import { matters, reconcile } from "./reconcile.ts";
import { createSiblings } from "./siblings.ts";
import { createWorkQueue, type WorkQueue } from "./work-queue.ts";

export interface ControllerOptions {
  readonly workers: number;
  readonly backoffMs?: readonly [number, number];
}

/** The controller proper: cache, queue and workers. */
export interface Controller {
  readonly informer: Informer<PeerPod>;
  readonly queue: WorkQueue;
  /** Takes all PeerPods that are being deleted up again, because the configuration has changed. */
  retryAll(): void;
  /**
   * Works until `stop` aborts; then takes nothing new and returns when what is in work has ended. `context.signal` cuts that
   * short. The informer ends with it.
   */
  run(stop: AbortSignal): Promise<void>;
}

export function createController(
  context: ControllerContext,
  { workers, backoffMs }: ControllerOptions,
): Controller {
  const { logger, clock, observer } = context;
  const queue = createWorkQueue({ clock, ...(backoffMs === undefined ? {} : { backoffMs }) });
  const siblings = createSiblings();
  const confirmed = new Set<string>();

  const informer = startInformer(context.peerPods, {
    logger,
    signal: context.signal,
    onChange(change: Change<PeerPod>) {
      siblings.apply(change);
      const key = keyOf(change.object);
      if (change.type === "deleted") {
        confirmed.delete(change.object.metadata.uid);
        queue.forget(key);
      } else if (matters(change.old, change.object)) queue.add(key);
    },
  });

  async function work(key: string): Promise<void> {
    const peerPod = informer.get(key);
    if (peerPod === undefined) return;
    const began = clock.now();
    const done = (outcome: "done" | "retry" | "stuck" | "error") =>
      observer.reconciled(outcome, (clock.now() - began) / 1_000);
    try {
      const result = await reconcile(peerPod, { siblings, confirmed }, context);
      done(result.outcome);
      if (result.outcome === "retry") queue.retry(key, result.retryAfterMs);
      else queue.forget(key);
    } catch (err) {
      done("error");
      logger.warn({ err, peerPod: key }, "reconcile failed, tried again");
      queue.retry(key);
    }
  }

  return {
    informer,
    queue,
    retryAll() {
      for (const peerPod of informer.list()) {
        if (peerPod.metadata.deletionTimestamp === undefined) continue;
        const key = keyOf(peerPod);
        queue.forget(key);
        queue.add(key);
      }
    },
    async run(stop) {
      await using _cache = informer;
      const ended = Promise.withResolvers<void>();
      stop.addEventListener("abort", () => ended.resolve(), { once: true });
      await Promise.race([informer.synced, ended.promise]);
      logger.info({ peerPods: informer.list().length, workers }, "controller works");
      await queue.run(work, { workers, signal: stop });
    },
  };
}
