import { buildPeerPod, isKubernetesError, peerPodName } from "@peerpods/peerpod-ctrl";
import type { KubeCallOptions, ObjectKey, PeerPod, PeerPodClient } from "@peerpods/peerpod-ctrl";
import type { SandboxRecord } from "../sandbox/record.ts";
import { isEnding } from "../sandbox/transitions.ts";
import { specOf, specPatch, statusOf } from "./peerpod-of.ts";
import type { PodLookup } from "./pod-lookup.ts";

/** Limit of one request. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How often a status is merged again with what another writer has changed, before the next try is left to the queue. */
const MAX_CONFLICTS = 3;

/** Somebody else's object has the name that the record needs. */
export class ForeignPeerPodError extends Error {
  override readonly name = "ForeignPeerPodError";
}

export interface PeerPodRecordParts {
  readonly peerPods: PeerPodClient;
  readonly lookup: PodLookup;
  /** Registry name of the provider. */
  readonly cloudProvider: string;
  readonly now: () => number;
}

/** What one look at a sandbox came to. */
export interface Recorded {
  /** Whether the API server was asked anything, and so has answered. */
  readonly asked: boolean;
  /** The next thing to be written is due then; milliseconds since the epoch. */
  readonly dueMs?: number;
}

/**
 * The PeerPod of one sandbox, brought step by step to what the journal's record says. It holds what the API server answered
 * last and nothing else, so losing it costs one request.
 */
export class PeerPodRecord {
  readonly #parts: PeerPodRecordParts;
  /** Made in this process: then it need not be looked for first. */
  readonly #isNew: boolean;
  #object: PeerPod | undefined;

  constructor(parts: PeerPodRecordParts, { isNew }: { readonly isNew: boolean }) {
    this.#parts = parts;
    this.#isNew = isNew;
  }

  /** As the API server last had it. */
  get object(): PeerPod | undefined {
    return this.#object;
  }

  /**
   * Writes what differs, each part with one request, and nothing when nothing does.
   * @throws KubernetesError, ForeignPeerPodError; what was written counts, and the next call goes on from there.
   */
  async update(record: SandboxRecord, { signal }: { readonly signal: AbortSignal }): Promise<Recorded> {
    if (record.lastAttempt === 0) return { asked: false };
    const call = { signal, timeoutMs: REQUEST_TIMEOUT_MS };
    const status = statusOf(record);
    const isDue = status === undefined || status.fromMs <= this.#parts.now();
    const later = isDue ? {} : { dueMs: status.fromMs };
    if (isEnding(record) && !isDue) return { asked: false, ...later };
    const before = this.#object;
    try {
      this.#object ??= await this.#makeOrFind(record, call);
      await this.#writeSpec(record, this.#object, call);
      if (status !== undefined && isDue) await this.#writeStatus(status, call);
      return { asked: this.#object !== before, ...later };
    } catch (error) {
      // Removed by hand, or force-released: it is made again, for its VM exists.
      if (isKubernetesError(error, "not_found")) this.#object = undefined;
      throw error;
    }
  }

  /**
   * Removes our finalizer, then the object. Nothing to remove, and another sandbox's object, count as done.
   * @throws KubernetesError
   */
  async remove(record: SandboxRecord, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { peerPods } = this.#parts;
    const call = { signal, timeoutMs: REQUEST_TIMEOUT_MS };
    const key = keyOf(record);
    const object = this.#object ?? (await this.#read(key, call));
    if (object === undefined || object.spec.sandboxID !== record.sandboxId) return;
    const left = await peerPods.release(object, call);
    this.#object = left;
    if (left === undefined || left.metadata.deletionTimestamp !== undefined) return;
    try {
      await peerPods.delete(key, { ...call, uid: left.metadata.uid });
    } catch (error) {
      // Another object of that name by now.
      if (!isKubernetesError(error, "conflict")) throw error;
    }
  }

  async #makeOrFind(record: SandboxRecord, call: KubeCallOptions): Promise<PeerPod> {
    const { peerPods } = this.#parts;
    const key = keyOf(record);
    const found = this.#isNew ? undefined : await peerPods.get(key, call).catch(ifMissing);
    if (found !== undefined) return ours(found, record);
    const object = await this.#build(record, call);
    try {
      return await peerPods.create(object, { ...call, namespace: record.podNamespace });
    } catch (error) {
      if (!isKubernetesError(error, "already_exists")) throw error;
      return ours(await peerPods.get(key, call), record);
    }
  }

  /** Without its Pod's UID it has no owner; it is then removed by this daemon, or by the controller with the node. */
  async #build(record: SandboxRecord, call: KubeCallOptions) {
    const { lookup, cloudProvider } = this.#parts;
    const podUid = record.podUid ?? (await lookup.find(record, call))?.uid;
    const { clusterId, podName, podNamespace } = record;
    return buildPeerPod({
      clusterId,
      podName,
      podNamespace,
      ...(podUid === undefined ? {} : { podUid }),
      spec: specOf(record, cloudProvider),
    });
  }

  async #writeSpec(record: SandboxRecord, { spec }: PeerPod, call: KubeCallOptions): Promise<void> {
    const patch = specPatch(spec, specOf(record, this.#parts.cloudProvider));
    if (patch !== undefined) this.#object = await this.#parts.peerPods.patch(keyOf(record), patch, call);
  }

  async #writeStatus(
    status: Parameters<PeerPodClient["setStatus"]>[1],
    call: KubeCallOptions,
  ): Promise<void> {
    for (let conflicts = 0; this.#object !== undefined; conflicts += 1) {
      const { metadata } = this.#object;
      // The controller has begun to delete it, and tells how that goes.
      if (metadata.deletionTimestamp !== undefined) return;
      try {
        const { phase, conditions } = status;
        this.#object = await this.#parts.peerPods.setStatus(this.#object, { phase, conditions }, call);
        return;
      } catch (error) {
        if (!isKubernetesError(error, "conflict") || conflicts >= MAX_CONFLICTS) throw error;
      }
      this.#object = await this.#parts.peerPods.get(metadata, call);
    }
  }

  async #read(key: ObjectKey, call: KubeCallOptions): Promise<PeerPod | undefined> {
    return await this.#parts.peerPods.get(key, call).catch(ifMissing);
  }
}

function keyOf({ podName, podNamespace, sandboxId }: SandboxRecord) {
  return { namespace: podNamespace, name: peerPodName(podName, sandboxId) };
}

/** Without the CRD there is no object either. */
function ifMissing(error: unknown): undefined {
  if (isKubernetesError(error, "not_found", "missing_resource")) return undefined;
  throw error;
}

function ours(object: PeerPod, record: SandboxRecord): PeerPod {
  const { sandboxID = "none" } = object.spec;
  if (sandboxID === record.sandboxId) return object;
  const { namespace, name } = keyOf(record);
  throw new ForeignPeerPodError(
    `PeerPod ${namespace}/${name} exists and is of sandbox ${sandboxID}; delete it, and ${record.sandboxId} is recorded`,
  );
}
