import { instanceName, instanceTags } from "@peerpods/cloud-providers";
import type { InstanceOwner, InstanceSpec } from "@peerpods/cloud-providers";
import type { LifecycleContext, LifecycleParts } from "./context.ts";
import { settleOrAbort, withDeadline } from "./deadline.ts";
import { endSandbox } from "./end.ts";
import { explain, SandboxError } from "./errors.ts";
import { IndexAllocator } from "./index-allocator.ts";
import type { PodNetworkFacts, RelaySandbox, WaitOptions } from "./ports.ts";
import { reapReason } from "./reap.ts";
import type { SandboxRecord } from "./record.ts";
import { closeStrays, decideAfterRestart } from "./recover.ts";
import type { RecoveryReport } from "./recover.ts";
import { Sandbox } from "./sandbox.ts";
import type { StartCall } from "./attempts.ts";
import { startSandbox } from "./start.ts";
import { StartRun } from "./start-run.ts";
import { isEnding } from "./transitions.ts";

/** A request for a sandbox, checked and in the lifecycle's own terms. */
export interface CreateRequest {
  /** Checked by `checkSandboxId`. */
  readonly sandboxId: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly netnsPath: string;
  readonly spec: InstanceSpec;
  /** TOML; absent means the daemon's default. */
  readonly initdata?: string;
}

/** One sandbox for those who look: `peerpods ps`, metrics, tests. */
export interface SandboxStatus {
  readonly record: SandboxRecord;
  /** Latest failure of a removal step. */
  readonly lastError?: string;
}

/**
 * The life of all sandboxes of this node; see `record.ts` for the phases and what a crash leaves.
 *
 * Calls for one sandbox may come at any time and in any number. Nothing is done twice, and nothing is forgotten: whatever
 * may exist outside is in the journal before it is made, and leaves the journal after it is certainly gone.
 */
export class Lifecycle implements AsyncDisposable {
  readonly #context: LifecycleContext;
  readonly #sandboxes = new Map<string, Sandbox>();
  /** Ids whose CreateVM is under way: they count, but nobody can start or stop them yet. */
  readonly #creating = new Set<string>();
  readonly #shutdown = new AbortController();
  #closing = false;
  #changed = Promise.withResolvers<void>();
  #quarantined = new Set<string>();

  constructor(parts: LifecycleParts & { readonly minVni: number }) {
    this.#context = { ...parts, indices: new IndexAllocator(parts), signal: this.#shutdown.signal };
  }

  /**
   * Takes over what an earlier daemon left: adopts what runs, continues removals, undoes starts. Call it once, before
   * anything else. Removals go on in the background when it resolves.
   * @throws SandboxError `journal`; or the relay's error when it cannot say what it carries.
   */
  async recover(options: WaitOptions): Promise<RecoveryReport> {
    const { journal, indices, relay } = this.#context;
    const { records, quarantined } = await journal.load();
    await indices.recover(records.map(({ network }) => ({ index: network.index, vni: network.vxlanId })));
    const carried = await relay.list(options);
    const carriedById = new Map(carried.map((sandbox) => [sandbox.sandboxId, sandbox]));
    this.#quarantined = new Set(quarantined.map(({ sandboxId }) => sandboxId));
    const adopted: string[] = [];
    const ending: { sandboxId: string; reason: string }[] = [];
    for (const record of records) {
      const sandbox = this.#add(record);
      const decision = decideAfterRestart(record, carriedById.get(record.sandboxId));
      if (decision.action === "keep") {
        adopted.push(sandbox.id);
      } else {
        ending.push({ sandboxId: sandbox.id, reason: decision.reason });
        void this.#end(sandbox, decision);
      }
    }
    await closeStrays(this.#context, carried, (id) => this.#isKnown(id));
    return { adopted, ending, quarantined };
  }

  /**
   * CreateVM: looks at the pod's network, gives it an index, writes it down, and tells where the agent socket will be.
   * No cloud is asked. A failed call leaves nothing.
   * @throws SandboxError `already_exists`, `limit_reached`, `network`, `journal`.
   */
  async create(request: CreateRequest, options: WaitOptions): Promise<{ agentSocketPath: string }> {
    const { sandboxId } = request;
    this.#requireOpen();
    this.#requireFree(sandboxId);
    this.#creating.add(sandboxId);
    try {
      const record = await this.#newRecord(request, options);
      try {
        await this.#context.journal.write(record);
        await this.#context.directories.create(sandboxId);
      } catch (error) {
        await this.#forgetNew(record);
        throw error;
      }
      this.#add(record);
      return { agentSocketPath: record.agentSocketPath };
    } finally {
      this.#creating.delete(sandboxId);
      this.#wake();
    }
  }

  /**
   * StartVM: resolves when the pod VM can be talked to through the agent socket. For one that runs it resolves at once;
   * callers of one that starts share the attempt. When it fails, or nobody waits any more, everything is undone in the
   * background.
   * @throws SandboxError `not_found`, `conflict`, `start_failed`, `aborted`, `journal`; or `signal.reason`.
   */
  async start(sandboxId: string, call: StartCall): Promise<void> {
    this.#requireOpen();
    const sandbox = this.#get(sandboxId);
    if (sandbox.ending !== undefined) throw beingRemoved(sandbox.record);
    if (sandbox.record.phase === "running") return;
    call.signal.throwIfAborted();
    sandbox.start ??= new StartRun((signal) => this.#start(sandbox, { ...call, signal }));
    await sandbox.start.join(call.signal);
  }

  /**
   * StopVM: resolves when the end is written down and the relay has let go; the rest follows in the background until the
   * cloud confirms it, whatever becomes of the caller. Ends a start that is under way. Can be repeated.
   * @throws SandboxError `not_found`
   */
  async stop(sandboxId: string): Promise<void> {
    const sandbox = this.#get(sandboxId);
    await this.#end(sandbox, { phase: "stopping", reason: "StopVM" });
  }

  /** Looks once for sandboxes whose StopVM will never come and begins to remove them. Returns their ids. */
  async reap(options: WaitOptions): Promise<readonly string[]> {
    const { relay, clock, settings } = this.#context;
    const asOfMs = clock.now();
    const known = new Set(this.#sandboxes.keys());
    const carried = await relay.list(options);
    const carriedById = new Map<string, RelaySandbox>(carried.map((sandbox) => [sandbox.sandboxId, sandbox]));
    const reaped: string[] = [];
    for (const sandbox of this.#sandboxes.values()) {
      if (!known.has(sandbox.id) || sandbox.ending !== undefined || sandbox.start?.underWay === true)
        continue;
      const reason = reapReason(
        { record: sandbox.record, relay: carriedById.get(sandbox.id) },
        asOfMs,
        settings.reaping,
      );
      if (reason === undefined) continue;
      reaped.push(sandbox.id);
      void this.#end(sandbox, { phase: "stopping", reason });
    }
    return reaped;
  }

  /** Reaps every `settings.reaping.intervalMs` until the signal aborts; never rejects. */
  async reapForever(options: WaitOptions): Promise<void> {
    const { clock, settings, logger } = this.#context;
    const { intervalMs } = settings.reaping;
    const signal = AbortSignal.any([options.signal, this.#shutdown.signal]);
    while (!signal.aborted) {
      try {
        await clock.sleep(intervalMs, { signal });
        await withDeadline(
          { clock, parent: signal, timeoutMs: settings.localTimeoutMs, what: "asking the agent relay" },
          (signal) => this.reap({ signal }),
        );
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, "sandboxes cannot be checked now");
      }
    }
  }

  /** Every sandbox that is not gone. */
  list(): readonly SandboxStatus[] {
    return [...this.#sandboxes.values()].map(({ record, lastError }) => ({
      record,
      ...(lastError === undefined ? {} : { lastError }),
    }));
  }

  /** Resolves with what `find` returns once that is something; it is asked again after every change of a sandbox. */
  async waitUntil<T>(find: () => T | undefined, { signal }: WaitOptions): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await settleOrAbort(this.#changed.promise, signal);
    }
  }

  /** Sandboxes that count against the limit: all but those being removed. */
  get count(): number {
    let count = this.#creating.size;
    for (const { record } of this.#sandboxes.values()) if (!isEnding(record)) count += 1;
    return count;
  }

  /**
   * Ends the lifecycle, not the sandboxes: what runs goes on running. Starts are aborted, and removals (theirs included)
   * may go on until `signal` aborts; what is not done by then goes on after the next {@link recover}. Resolves when
   * nothing is under way any more. Can be called twice.
   */
  async close({ signal }: WaitOptions): Promise<void> {
    this.#closing = true;
    const ending = new SandboxError("aborted", "the daemon is ending");
    const sandboxes = [...this.#sandboxes.values()];
    for (const { start } of sandboxes) start?.abort(ending);
    const removals = Promise.all(
      sandboxes.map(async (sandbox) => {
        await sandbox.start?.settled();
        await sandbox.ending?.done;
      }),
    );
    await settleOrAbort(removals, signal).catch(() => undefined);
    this.#shutdown.abort(ending);
    await removals;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ signal: AbortSignal.abort() });
  }

  async #newRecord(request: CreateRequest, options: WaitOptions): Promise<SandboxRecord> {
    const { indices, directories, clock, settings } = this.#context;
    const owner = { ...request, clusterId: settings.clusterId, nodeName: settings.nodeName };
    checkTags(owner);
    const facts = await this.#inspect(request, options);
    const { index, vni } = await indices.allocate(options);
    return {
      ...owner,
      agentSocketPath: directories.agentSocketPath(request.sandboxId),
      instanceName: instanceName(request.podName, request.sandboxId),
      network: { ...facts, index, vxlanId: vni },
      phase: "created",
      lastAttempt: 0,
      attempts: [],
      times: { createdMs: clock.now() },
    };
  }

  async #inspect({ sandboxId, netnsPath }: CreateRequest, options: WaitOptions): Promise<PodNetworkFacts> {
    try {
      return await this.#context.network.inspect(netnsPath, options);
    } catch (error) {
      options.signal.throwIfAborted();
      throw new SandboxError("network", `the network of sandbox ${sandboxId} cannot be used`, {
        cause: error,
      });
    }
  }

  /** CreateVM failed half way: nothing of it may stay, in the journal neither. */
  async #forgetNew(record: SandboxRecord): Promise<void> {
    const { journal, directories, indices, logger } = this.#context;
    try {
      await journal.remove(record.sandboxId);
      await directories.remove(record.sandboxId);
    } catch (error) {
      logger.warn(
        { sandboxId: record.sandboxId, err: error },
        "what a failed CreateVM left cannot be removed",
      );
    }
    indices.release(record.network.vxlanId);
  }

  async #start(sandbox: Sandbox, call: StartCall): Promise<void> {
    const signal = AbortSignal.any([call.signal, this.#shutdown.signal]);
    try {
      await startSandbox(sandbox, this.#context, { ...call, signal });
    } catch (error) {
      void this.#end(sandbox, { phase: "failed", reason: explain(error) });
      throw startFailure(sandbox, error);
    }
  }

  /** Begins the removal, once. Resolves when it is accepted; never rejects. */
  #end(sandbox: Sandbox, why: { phase: "stopping" | "failed"; reason: string }): Promise<void> {
    sandbox.ending ??= endSandbox(sandbox, this.#context, {
      ...why,
      onGone: () => {
        this.#sandboxes.delete(sandbox.id);
        this.#context.indices.release(sandbox.record.network.vxlanId);
        this.#wake();
      },
    });
    sandbox.start?.abort(
      new SandboxError("aborted", `sandbox ${sandbox.id} is being removed: ${why.reason}`),
    );
    return sandbox.ending.accepted;
  }

  #add(record: SandboxRecord): Sandbox {
    const sandbox = new Sandbox(record, { context: this.#context, onChange: () => this.#wake() });
    this.#sandboxes.set(sandbox.id, sandbox);
    this.#wake();
    return sandbox;
  }

  #get(sandboxId: string): Sandbox {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined) throw new SandboxError("not_found", `sandbox ${sandboxId} does not exist`);
    return sandbox;
  }

  #requireOpen(): void {
    if (this.#closing) throw new SandboxError("aborted", "the daemon is ending");
  }

  #requireFree(sandboxId: string): void {
    const { maxSandboxes } = this.#context.settings;
    const present = this.#sandboxes.get(sandboxId);
    if (present !== undefined || this.#creating.has(sandboxId)) {
      const phase = present === undefined ? "being created" : present.record.phase;
      throw new SandboxError("already_exists", `sandbox ${sandboxId} already exists; it is ${phase}`);
    }
    if (this.#quarantined.has(sandboxId)) {
      throw new SandboxError(
        "already_exists",
        `sandbox ${sandboxId} has an unreadable journal entry in quarantine`,
      );
    }
    if (maxSandboxes >= 0 && this.count >= maxSandboxes) {
      throw new SandboxError(
        "limit_reached",
        `this node has ${this.count} peer pods and may have ${maxSandboxes} (peerpods-limit-per-node)`,
      );
    }
  }

  #isKnown(sandboxId: string): boolean {
    return this.#sandboxes.has(sandboxId) || this.#quarantined.has(sandboxId);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** What cannot be written on a cloud resource could not be found and deleted again, so it is refused before anything is made. */
function checkTags(owner: Omit<InstanceOwner, "attempt">): void {
  try {
    instanceTags({ ...owner, attempt: 1 });
  } catch (error) {
    throw new SandboxError("invalid_request", `sandbox ${owner.sandboxId} cannot be tagged`, {
      cause: error,
    });
  }
}

function beingRemoved({ sandboxId, phase, reason }: SandboxRecord): SandboxError {
  return new SandboxError(
    "conflict",
    `sandbox ${sandboxId} is ${phase} and cannot be started: ${reason ?? ""}`,
  );
}

function startFailure(sandbox: Sandbox, error: unknown): SandboxError {
  if (error instanceof SandboxError) return error;
  return new SandboxError("start_failed", `pod VM of sandbox ${sandbox.id} cannot be started`, {
    cause: error,
  });
}
