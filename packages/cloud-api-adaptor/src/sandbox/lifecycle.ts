import type { LifecycleContext, LifecycleParts } from "./context.ts";
import { settleOrAbort, withDeadline } from "./deadline.ts";
import { createSandbox } from "./create.ts";
import type { CreateRequest } from "./create.ts";
import { endSandbox } from "./end.ts";
import { explain, failureCode, SandboxError } from "./errors.ts";
import { IndexAllocator } from "./index-allocator.ts";
import type { RelaySandbox, WaitOptions } from "./ports.ts";
import { reapReason } from "./reap.ts";
import type { SandboxRecord } from "./record.ts";
import { closeStrays, decideAfterRestart } from "./recover.ts";
import type { RecoveryReport } from "./recover.ts";
import { Sandbox } from "./sandbox.ts";
import { SandboxTable } from "./sandbox-table.ts";
import type { StartCall } from "./attempts.ts";
import { startSandbox } from "./start.ts";
import { StartRun } from "./start-run.ts";
import type { EndReason } from "./transitions.ts";

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
  readonly #table = new SandboxTable();
  readonly #shutdown = new AbortController();
  #closing = false;

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
    for (const { sandboxId } of quarantined) this.#table.quarantine(sandboxId);
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
    await closeStrays(this.#context, carried, (id) => this.#table.isKnown(id));
    return { adopted, ending, quarantined };
  }

  /**
   * CreateVM: looks at the pod's network, gives it an index, writes it down, and tells where the agent socket will be.
   * No cloud is asked. A failed call leaves nothing.
   * @throws SandboxError `already_exists`, `limit_reached`, `network`, `journal`.
   */
  async create(request: CreateRequest, options: WaitOptions): Promise<{ agentSocketPath: string }> {
    this.#requireOpen();
    using _reserved = this.#table.reserve(request.sandboxId, this.#context.settings.maxSandboxes);
    const record = await createSandbox(request, this.#context, options);
    this.#add(record);
    return { agentSocketPath: record.agentSocketPath };
  }

  /**
   * StartVM: resolves when the pod VM can be talked to through the agent socket. For one that runs it resolves at once;
   * callers of one that starts share the attempt. When it fails, or nobody waits any more, everything is undone in the
   * background.
   * @throws SandboxError `not_found`, `conflict`, `start_failed`, `aborted`, `journal`; or `signal.reason`.
   */
  async start(sandboxId: string, call: StartCall): Promise<void> {
    this.#requireOpen();
    const sandbox = this.#table.get(sandboxId);
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
    const sandbox = this.#table.get(sandboxId);
    await this.#end(sandbox, { phase: "stopping", reason: "StopVM" });
  }

  /** Looks once for sandboxes whose StopVM will never come and begins to remove them. Returns their ids. */
  async reap(options: WaitOptions): Promise<readonly string[]> {
    const { relay, clock, settings } = this.#context;
    const asOfMs = clock.now();
    const known = this.#table.values();
    const carried = await relay.list(options);
    const carriedById = new Map<string, RelaySandbox>(carried.map((sandbox) => [sandbox.sandboxId, sandbox]));
    const reaped: string[] = [];
    for (const sandbox of known) {
      if (sandbox.ending !== undefined || sandbox.start?.underWay === true) continue;
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
    return this.#table.values().map(({ record, lastError }) => ({
      record,
      ...(lastError === undefined ? {} : { lastError }),
    }));
  }

  /** Resolves with what `find` returns once that is something; it is asked again after every change of a sandbox. */
  async waitUntil<T>(find: () => T | undefined, options: WaitOptions): Promise<T> {
    return await this.#table.waitUntil(find, options);
  }

  /** Sandboxes that count against the limit: all but those being removed. */
  get count(): number {
    return this.#table.count;
  }

  /**
   * Ends the lifecycle, not the sandboxes: what runs goes on running. Starts are aborted, and removals (theirs included)
   * may go on until `signal` aborts; what is not done by then goes on after the next {@link recover}. Resolves when
   * nothing is under way any more. Can be called twice.
   */
  async close({ signal }: WaitOptions): Promise<void> {
    this.#closing = true;
    const ending = new SandboxError("aborted", "the daemon is ending");
    const sandboxes = this.#table.values();
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

  async #start(sandbox: Sandbox, call: StartCall): Promise<void> {
    const signal = AbortSignal.any([call.signal, this.#shutdown.signal]);
    try {
      await startSandbox(sandbox, this.#context, { ...call, signal });
    } catch (error) {
      void this.#end(sandbox, { phase: "failed", reason: explain(error), code: failureCode(error) });
      throw startFailure(sandbox, error);
    }
  }

  /** Begins the removal, once. Resolves when it is accepted; never rejects. */
  #end(sandbox: Sandbox, why: EndReason): Promise<void> {
    sandbox.ending ??= endSandbox(sandbox, this.#context, {
      ...why,
      onGone: () => {
        this.#table.delete(sandbox.id);
        this.#context.indices.release(sandbox.record.network.vxlanId);
      },
    });
    sandbox.start?.abort(
      new SandboxError("aborted", `sandbox ${sandbox.id} is being removed: ${why.reason}`),
    );
    return sandbox.ending.accepted;
  }

  #add(record: SandboxRecord): Sandbox {
    const sandbox = new Sandbox(record, { context: this.#context, onChange: () => this.#table.changed() });
    this.#table.add(sandbox);
    return sandbox;
  }

  #requireOpen(): void {
    if (this.#closing) throw new SandboxError("aborted", "the daemon is ending");
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
