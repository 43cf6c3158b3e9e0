import { isIP } from "node:net";
import { isAbsolute } from "node:path";
import type {
  RelayControl,
  RelayEvent,
  RelayHello,
  RelayOpenRequest,
  RelaySandbox,
  WaitOptions,
} from "../ports.ts";
import { MAX_SOCKET_PATH_BYTES } from "../sandbox-id.ts";

/** A relay that carries nothing, but refuses what the real one would refuse and remembers what it was told. */
export class FakeRelay implements RelayControl {
  readonly #sandboxes = new Map<string, RelaySandbox>();
  readonly #now: () => number;
  readonly opened: RelayOpenRequest[] = [];
  /** Called before each act; throw or wait to make the act fail or be slow. */
  before: (call: "open" | "close" | "list", sandboxId: string, signal: AbortSignal) => Promise<void> =
    async () => undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  async hello(): Promise<RelayHello> {
    return { protocol: 1, version: "test" };
  }

  async open(request: RelayOpenRequest, { signal }: WaitOptions): Promise<void> {
    check(request);
    await this.before("open", request.sandboxId, signal);
    signal.throwIfAborted();
    if (this.#sandboxes.has(request.sandboxId))
      throw new Error(`relay: ${request.sandboxId} is open already`);
    this.opened.push(request);
    this.#sandboxes.set(request.sandboxId, {
      sandboxId: request.sandboxId,
      socketPath: request.socketPath,
      target: request.target,
      state: "connected",
      shim: "none",
      sinceMs: this.#now(),
      frames: { toVm: 0, toShim: 0 },
      bytes: { toVm: 0, toShim: 0 },
      reconnects: 0,
    });
  }

  async close(sandboxId: string, { signal }: WaitOptions): Promise<void> {
    await this.before("close", sandboxId, signal);
    signal.throwIfAborted();
    this.#sandboxes.delete(sandboxId);
  }

  async list({ signal }: WaitOptions): Promise<readonly RelaySandbox[]> {
    await this.before("list", "", signal);
    return [...this.#sandboxes.values()];
  }

  async *watch({ signal }: WaitOptions): AsyncIterable<RelayEvent> {
    for (const sandbox of await this.list({ signal })) yield { type: "changed", sandbox };
  }

  /** Ids it carries. */
  get carried(): readonly string[] {
    return [...this.#sandboxes.keys()];
  }

  /** What the outside world does to a connection. */
  change(sandboxId: string, change: Partial<Pick<RelaySandbox, "state" | "shim">>): void {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox === undefined) throw new Error(`relay does not carry ${sandboxId}`);
    this.#sandboxes.set(sandboxId, { ...sandbox, ...change, sinceMs: this.#now() });
  }

  /** The relay's process ends: all it carried is gone. */
  die(): void {
    this.#sandboxes.clear();
  }
}

function check({ socketPath, target, tls, dialTimeoutMs }: RelayOpenRequest): void {
  const wrong = [
    !isAbsolute(socketPath) || Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES ? "socketPath" : "",
    isIP(target.host) === 0 ? "target.host" : "",
    target.port < 1 || target.port > 65_535 ? "target.port" : "",
    tls !== undefined && (tls.serverName === "" || tls.ca === "" || tls.cert === "" || tls.key === "")
      ? "tls"
      : "",
    dialTimeoutMs > 0 ? "" : "dialTimeoutMs",
  ].filter((name) => name !== "");
  if (wrong.length > 0) throw new Error(`relay: ${wrong.join(", ")} cannot be used`);
}
