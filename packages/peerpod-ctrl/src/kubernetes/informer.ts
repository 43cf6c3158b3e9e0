import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "@peerpods/cloud-providers";
import { errorFromStatus, isKubernetesError } from "./errors.ts";
import type { ListOptions, ObjectMeta, Resource } from "./resource.ts";

/** A change in the cache. `old` is absent for what is new. */
export interface Change<T> {
  readonly type: "added" | "updated" | "deleted";
  readonly object: T;
  readonly old?: T;
}

export interface InformerOptions<T> extends Pick<
  ListOptions,
  "namespace" | "labelSelector" | "fieldSelector"
> {
  readonly logger: Logger;
  /** Ends the informer, as its disposal does. */
  readonly signal: AbortSignal;
  /** Called for each change, after the cache has it. What it throws is a defect and ends the informer. */
  readonly onChange?: (change: Change<T>) => void;
  /** Pauses between failed lists or watches: the first, doubled each time up to the second. Default 0.5 s and 30 s. */
  readonly backoffMs?: readonly [number, number];
  /** How long a watch may say nothing (bookmarks come about once a minute). Default 150 s. */
  readonly idleMs?: number;
  readonly pageSize?: number;
}

/**
 * A cache of all objects of one type, kept current: a list, then a watch from there on; a watch that closes is taken up
 * where it ended, one that is too old (410) begins with a new list, and failures are tried again for ever.
 */
export interface Informer<T> extends AsyncDisposable {
  /** Resolves when the first list is in the cache; rejects when the informer ends before. */
  readonly synced: Promise<void>;
  /** By `namespace/name`, or `name` for what is in no namespace. */
  get(key: string): T | undefined;
  list(): readonly T[];
  /** Why the cache may be out of date at present, and since when (milliseconds since the epoch). */
  stale(): { readonly sinceMs: number; readonly error: unknown } | undefined;
  /** How often the whole list was read. */
  readonly lists: number;
}

/** `namespace/name`, the key of caches and queues. */
export function keyOf({ metadata }: { readonly metadata: Pick<ObjectMeta, "name" | "namespace"> }): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** Starts an {@link Informer}; it runs until its signal or disposal. */
export function startInformer<T extends { readonly metadata: ObjectMeta }>(
  resource: Resource<T>,
  options: InformerOptions<T>,
): Informer<T> {
  const { logger, onChange, backoffMs = [500, 30_000], idleMs = 150_000 } = options;
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, options.signal]);
  const { promise: synced, resolve: resolveSynced, reject: rejectSynced } = Promise.withResolvers<void>();
  // Nobody need wait for it.
  synced.catch(() => undefined);
  const cache = new Map<string, T>();
  let resourceVersion: string | undefined;
  let stale: { sinceMs: number; error: unknown } | undefined = { sinceMs: Date.now(), error: undefined };
  let lists = 0;

  function store(object: T): void {
    const key = keyOf(object);
    const old = cache.get(key);
    cache.set(key, object);
    if (old === undefined) onChange?.({ type: "added", object });
    else if (old.metadata.resourceVersion !== object.metadata.resourceVersion)
      onChange?.({ type: "updated", object, old });
  }

  function remove(object: T): void {
    if (cache.delete(keyOf(object))) onChange?.({ type: "deleted", object });
  }

  async function relist(): Promise<void> {
    const list = await resource.list({
      ...options,
      signal,
      timeoutMs: 120_000,
      onMalformed: (error) => logger.warn({ err: error }, "an object is left out: it cannot be read"),
    });
    lists += 1;
    const present = new Set(list.items.map(keyOf));
    for (const [key, object] of cache) if (!present.has(key)) remove(object);
    for (const object of list.items) store(object);
    resourceVersion = list.resourceVersion;
    stale = undefined;
    resolveSynced();
  }

  async function watch(from: string): Promise<void> {
    // Spread, so that not all informers come back at once.
    const timeoutSeconds = 290 + Math.floor(Math.random() * 50);
    for await (const event of resource.watch({
      ...options,
      resourceVersion: from,
      timeoutSeconds,
      signal,
      idleMs,
    })) {
      stale = undefined;
      take(event as WatchEvent);
    }
  }

  function take({ type, object }: WatchEvent): void {
    if (type === "ERROR") {
      const { group, plural } = resource.type;
      throw errorFromStatus({ verb: "watch", group, resource: plural }, object);
    }
    if (type === "BOOKMARK") {
      resourceVersion = object.metadata?.resourceVersion ?? resourceVersion;
      return;
    }
    let parsed: T;
    try {
      parsed = resource.type.parse(object);
    } catch (error) {
      logger.warn({ err: error }, "an object is left out: it cannot be read");
      return;
    }
    if (type === "DELETED") remove(parsed);
    else store(parsed);
    resourceVersion = parsed.metadata.resourceVersion;
  }

  async function run(): Promise<void> {
    let pauseMs = backoffMs[0];
    while (!signal.aborted) {
      const began = Date.now();
      try {
        if (resourceVersion === undefined) await relist();
        await watch(resourceVersion ?? "");
        // An ordinary end. One that comes at once, again and again, must not become a storm.
        if (Date.now() - began > 1_000) pauseMs = backoffMs[0];
      } catch (error) {
        if (signal.aborted) break;
        if (isKubernetesError(error, "gone")) resourceVersion = undefined;
        else {
          stale ??= { sinceMs: Date.now(), error };
          logger.warn({ err: error, resource: resource.type.plural }, "watch failed, tried again");
        }
        if (Date.now() - began > 60_000) pauseMs = backoffMs[0];
      }
      await wait(pauseMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, backoffMs[1]);
    }
  }

  const done = run().finally(() => rejectSynced(signal.reason ?? new Error("the informer ended")));
  done.catch((error: unknown) => {
    stale = { sinceMs: Date.now(), error };
    logger.error({ err: error, resource: resource.type.plural }, "informer ended by a defect");
  });

  return {
    synced,
    get: (key) => cache.get(key),
    list: () => [...cache.values()],
    stale: () => stale,
    get lists() {
      return lists;
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await done.catch(() => undefined);
    },
  };
}

interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: { readonly metadata?: { readonly resourceVersion?: string } };
}
