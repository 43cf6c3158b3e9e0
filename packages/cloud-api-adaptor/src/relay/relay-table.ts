import type {
  RelayEvent,
  RelayHello,
  RelayOpenRequest,
  RelaySandbox,
  WaitOptions,
} from "../sandbox/relay-port.ts";
import type { RelayControl } from "../sandbox/relay-port.ts";
import { ChangeFeed } from "./change-feed.ts";
import type { RelayDependencies, RelayLimits } from "./dependencies.ts";
import { RelayError } from "./errors.ts";
import { checkOpenRequest, checkSandboxId, isSameSandbox } from "./open-request.ts";
import { SandboxRelay } from "./sandbox-relay.ts";
import type { SandboxRelayOptions } from "./sandbox-relay.ts";
import { SharedAttempt } from "./shared-attempt.ts";
import { SecureContexts } from "./vm/secure-contexts.ts";
import type { SecureContextLease } from "./vm/secure-contexts.ts";

interface Entry {
  readonly request: RelayOpenRequest;
  readonly sandbox: SandboxRelay;
  readonly lease: SecureContextLease | undefined;
  readonly attempt: SharedAttempt;
  isOpen: boolean;
  /** Being removed; its socket path is free again when this resolves. */
  removal: Promise<void> | undefined;
}

export interface RelayTableOptions {
  readonly hello: RelayHello;
  readonly dependencies: RelayDependencies;
  readonly limits: RelayLimits;
}

/** The sandboxes of this relay process. Disposing ends them all. */
export class RelayTable implements RelayControl, AsyncDisposable {
  readonly #options: RelayTableOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #contexts = new SecureContexts();
  readonly #feed = new ChangeFeed();
  #ended = false;

  constructor(options: RelayTableOptions) {
    this.#options = options;
  }

  /** Sandboxes held, those being opened included. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whoever watches now; a daemon always does. */
  get watchers(): number {
    return this.#feed.size;
  }

  hello({ signal }: WaitOptions): Promise<RelayHello> {
    signal.throwIfAborted();
    return Promise.resolve(this.#options.hello);
  }

  async open(request: RelayOpenRequest, options: WaitOptions): Promise<void> {
    checkOpenRequest(request);
    const removal = this.#entries.get(request.sandboxId)?.removal;
    // Not awaited in vain: a `close` called after this `open` must find it.
    if (removal !== undefined) await removal;
    if (this.#ended) throw new RelayError("closed", "the relay is ending");
    const entry = this.#entries.get(request.sandboxId) ?? this.#add(request);
    if (!isSameSandbox(entry.request, request)) {
      throw new RelayError(
        "conflict",
        `sandbox ${request.sandboxId} is open with another socket, target or server name; close it first`,
      );
    }
    if (!entry.isOpen) await entry.attempt.join(options);
  }

  async close(sandboxId: string, { signal }: WaitOptions): Promise<void> {
    checkSandboxId(sandboxId);
    signal.throwIfAborted();
    const entry = this.#entries.get(sandboxId);
    if (entry === undefined) return;
    entry.removal ??= this.#end(entry);
    await entry.removal;
  }

  list({ signal }: WaitOptions): Promise<readonly RelaySandbox[]> {
    signal.throwIfAborted();
    return Promise.resolve(this.#snapshots());
  }

  watch(options: WaitOptions): AsyncIterable<RelayEvent> {
    return this.#feed.read(
      () => this.#snapshots().map((sandbox) => ({ type: "changed", sandbox }) as const),
      options,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    const { signal } = new AbortController();
    await Promise.all([...this.#entries.keys()].map((sandboxId) => this.close(sandboxId, { signal })));
  }

  #snapshots(): readonly RelaySandbox[] {
    return [...this.#entries.values()].map(({ sandbox }) => sandbox.snapshot);
  }

  #add(request: RelayOpenRequest): Entry {
    const { dependencies, limits } = this.#options;
    if (this.#entries.size >= limits.maxSandboxes) {
      throw new RelayError("limit", `the relay holds ${limits.maxSandboxes} sandboxes, which is its limit`);
    }
    const lease = request.tls === undefined ? undefined : this.#contexts.lease(request.tls);
    const serverName = request.tls?.serverName ?? "";
    const entry = this.#entryOf(lease, {
      request: withoutSecrets(request),
      forwarder: {
        target: request.target,
        tls: lease === undefined ? undefined : { context: lease.context, serverName },
      },
      dependencies,
      limits,
    });
    this.#entries.set(request.sandboxId, entry);
    this.#publish(entry.sandbox);
    return entry;
  }

  /** A function of its own, so that what it makes cannot hold on to a request with its key. */
  #entryOf(lease: SecureContextLease | undefined, options: Omit<SandboxRelayOptions, "onChange">): Entry {
    const { request } = options;
    const { sandboxId } = request;
    const sandbox = new SandboxRelay({
      ...options,
      onChange: () => {
        if (this.#entries.get(sandboxId)?.sandbox === sandbox) this.#publish(sandbox);
      },
    });
    const attempt = new SharedAttempt((wait) => this.#open(sandboxId, wait));
    return { request, sandbox, lease, attempt, isOpen: false, removal: undefined };
  }

  async #open(sandboxId: string, options: WaitOptions): Promise<void> {
    // The entry is not in the table before the next turn.
    await Promise.resolve();
    const entry = this.#entries.get(sandboxId);
    if (entry === undefined) throw new RelayError("closed", `sandbox ${sandboxId} was closed`);
    try {
      await entry.sandbox.open(options);
      entry.isOpen = true;
    } catch (error) {
      // Whoever closes it waits for this attempt to end, and then removes it.
      if (entry.removal === undefined) await (entry.removal = this.#remove(entry));
      throw error;
    }
  }

  async #end(entry: Entry): Promise<void> {
    entry.attempt.cancel(new RelayError("closed", `sandbox ${entry.request.sandboxId} was closed`));
    await entry.attempt.settled();
    await this.#remove(entry);
  }

  async #remove(entry: Entry): Promise<void> {
    const { sandboxId } = entry.request;
    await entry.sandbox[Symbol.asyncDispose]();
    entry.lease?.[Symbol.dispose]();
    this.#entries.delete(sandboxId);
    this.#feed.publish({ type: "closed", sandboxId });
  }

  #publish(sandbox: SandboxRelay): void {
    this.#feed.publish({ type: "changed", sandbox: sandbox.snapshot });
  }
}

/** Keys live in the TLS context only, so that nothing that prints or compares a request can show them. */
function withoutSecrets(request: RelayOpenRequest): RelayOpenRequest {
  const { tls } = request;
  return tls === undefined ? request : { ...request, tls: { ...tls, ca: "", cert: "", key: "" } };
}
