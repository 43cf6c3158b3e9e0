import type { Clock, Logger } from "@peerpods/cloud-providers";
import { createWorkQueue, isKubernetesError } from "@peerpods/peerpod-ctrl";
import type { PeerPod, WorkQueue } from "@peerpods/peerpod-ctrl";
import { settleOrAbort } from "../sandbox/deadline.ts";
import type { ClusterRecords, WaitOptions } from "../sandbox/ports.ts";
import type { SandboxRecord } from "../sandbox/record.ts";
import { PeerPodRecord } from "./peerpod-record.ts";
import type { PeerPodRecordParts, Recorded } from "./peerpod-record.ts";

const WORKERS = 4;
const BACKOFF_MS = [500, 30_000] as const;
/** How long a start waits until its intent is recorded. */
const INTENT_TIMEOUT_MS = 5_000;

export interface PeerPodKeeperOptions extends PeerPodRecordParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told when a record cannot be written for a reason that a person must see to. */
  readonly onProblem: (record: SandboxRecord, error: unknown) => void;
  readonly backoffMs?: readonly [number, number];
  readonly intentTimeoutMs?: number;
}

/** One sandbox of which the cluster should have a record. */
interface Entry {
  record: SandboxRecord;
  readonly peerPod: PeerPodRecord;
  /** Set when the record is to go. */
  release?: PromiseWithResolvers<void>;
  /** It has gone. What is told of the sandbox from now on comes late. */
  isReleased: boolean;
  /** Wake those who wait for the next try, whatever comes of it. */
  waiting: (() => void)[];
  isBehind: boolean;
}

/**
 * Keeps a PeerPod for each sandbox that asks the cloud for a VM. What it should say is derived from the journal's record
 * whenever something changes or failed, and never stored: a new daemon begins from its journal. An API server that is away
 * is asked again with growing pauses; when it answers once, everything that waits is taken up at once.
 */
export class PeerPodKeeper implements Pick<ClusterRecords, "intended" | "release">, AsyncDisposable {
  readonly #options: PeerPodKeeperOptions;
  readonly #queue: WorkQueue;
  readonly #entries = new Map<string, Entry>();
  readonly #ending = new AbortController();
  readonly #done: Promise<void>;
  #isAway = false;
  #isEnding = false;

  constructor(options: PeerPodKeeperOptions) {
    this.#options = options;
    const { clock, backoffMs = BACKOFF_MS } = options;
    this.#queue = createWorkQueue({ clock, backoffMs });
    const { signal } = this.#ending;
    this.#done = this.#queue.run((sandboxId) => this.#work(sandboxId), { workers: WORKERS, signal });
  }

  /** Sandboxes whose record is not what it should be, since a request failed. */
  get behind(): number {
    return [...this.#entries.values()].filter(({ isBehind }) => isBehind).length;
  }

  /** The PeerPod of a sandbox as the API server last had it. */
  peerPodOf(sandboxId: string): PeerPod | undefined {
    return this.#entries.get(sandboxId)?.peerPod.object;
  }

  /** A sandbox of an earlier daemon: its PeerPod is looked for before one is made. */
  adopt(record: SandboxRecord): void {
    if (record.lastAttempt > 0) this.#put(record, { isNew: false });
  }

  /** The sandbox is so now. One that never asked a cloud has no PeerPod. */
  track(record: SandboxRecord): void {
    if (record.lastAttempt > 0) this.#put(record, { isNew: true });
  }

  /** The sandbox is gone; its PeerPod has been released before. */
  forget(sandboxId: string): void {
    this.#entries.delete(sandboxId);
  }

  async intended(record: SandboxRecord, { signal }: WaitOptions): Promise<void> {
    const { intentTimeoutMs = INTENT_TIMEOUT_MS, logger } = this.#options;
    const entry = this.#put(record, { isNew: true });
    if (this.#isAway) return;
    const tried = new Promise<void>((resolve) => void entry.waiting.push(resolve));
    const limit = AbortSignal.timeout(intentTimeoutMs);
    await settleOrAbort(tried, AbortSignal.any([signal, limit])).catch((error: unknown) => {
      signal.throwIfAborted();
      logger.warn(
        { sandboxId: record.sandboxId, err: error },
        "the cloud is asked before the intent is recorded",
      );
    });
  }

  async release(record: SandboxRecord, { signal }: WaitOptions): Promise<void> {
    if (record.lastAttempt === 0) return;
    const entry = this.#put(record, { isNew: false });
    entry.release ??= Promise.withResolvers<void>();
    // It may be given up when nobody waits any more.
    entry.release.promise.catch(() => undefined);
    if (this.#isEnding && this.#isAway) throw leftToTheNext();
    await settleOrAbort(entry.release.promise, signal);
  }

  /** The daemon is ending: a release that fails is left to the next one, which finds it in the journal. */
  noMoreRetries(): void {
    this.#isEnding = true;
    for (const { isBehind, release } of this.#entries.values())
      if (isBehind) release?.reject(leftToTheNext());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new DOMException("the daemon is ending", "AbortError"));
    await this.#done;
  }

  #put(record: SandboxRecord, { isNew }: { readonly isNew: boolean }): Entry {
    const { sandboxId } = record;
    let entry = this.#entries.get(sandboxId);
    if (entry === undefined) {
      const peerPod = new PeerPodRecord(this.#options, { isNew });
      entry = { record, peerPod, waiting: [], isReleased: false, isBehind: false };
      this.#entries.set(sandboxId, entry);
    }
    entry.record = record;
    this.#queue.add(sandboxId);
    return entry;
  }

  /** One look at one sandbox. Never throws. */
  async #work(sandboxId: string): Promise<void> {
    const entry = this.#entries.get(sandboxId);
    if (entry === undefined || entry.isReleased) return;
    const waiting = entry.waiting.splice(0);
    try {
      const { asked } = await this.#bringUp(entry);
      entry.isBehind = false;
      if (asked) this.#answered();
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      entry.isBehind = true;
      this.#failed(entry, error);
      this.#queue.retry(sandboxId, retryAfterOf(error));
    } finally {
      for (const wake of waiting) wake();
    }
  }

  async #bringUp(entry: Entry): Promise<Recorded> {
    const { record, peerPod, release } = entry;
    const { sandboxId } = record;
    const { signal } = this.#ending;
    if (release !== undefined) {
      await peerPod.remove(record, { signal });
      entry.isReleased = true;
      release.resolve();
      return { asked: true };
    }
    const recorded = await peerPod.update(record, { signal });
    const { dueMs } = recorded;
    if (dueMs !== undefined) this.#queue.retry(sandboxId, dueMs - this.#options.clock.now());
    this.#queue.forget(sandboxId);
    return recorded;
  }

  #failed({ record, release }: Entry, error: unknown): void {
    const { logger, onProblem } = this.#options;
    if (this.#isEnding) release?.reject(leftToTheNext());
    if (isKubernetesError(error, "unavailable", "timeout")) {
      if (!this.#isAway)
        logger.warn(
          { err: error },
          "API server is away; pods start and stop without it, PeerPods follow later",
        );
      this.#isAway = true;
      return;
    }
    const what = release === undefined ? "recorded" : "released";
    logger.warn({ sandboxId: record.sandboxId, err: error }, `PeerPod cannot be ${what}; trying again`);
    onProblem(record, error);
  }

  #answered(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#options.logger.info(
      { sandboxes: this.behind },
      "API server answers again; PeerPods are brought up to date",
    );
    for (const [sandboxId, { isBehind }] of this.#entries) {
      if (!isBehind) continue;
      this.#queue.forget(sandboxId);
      this.#queue.add(sandboxId);
    }
  }
}

function leftToTheNext(): Error {
  return new Error("the PeerPod cannot be released now; the next daemon does it");
}

function retryAfterOf(error: unknown): number | undefined {
  return isKubernetesError(error) ? error.retryAfterMs : undefined;
}
