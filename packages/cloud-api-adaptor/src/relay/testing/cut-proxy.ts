import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import type { RelayTarget } from "../../sandbox/relay-port.ts";

/** A network that a test can cut: TCP through a proxy on loopback. */
export class CutProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** Connections made so far. */
  connections = 0;
  #refusing = false;
  #silent = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(target: RelayTarget): Promise<CutProxy> {
    const server = createServer();
    const proxy = new CutProxy(server);
    server.on("connection", (near) => proxy.#join(near, target));
    server.listen({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    return proxy;
  }

  get target(): RelayTarget {
    return { host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  /** Breaks every connection; new ones are accepted. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  /** Breaks every connection and each new one, until `restore`. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  /** Passes nothing on any more, and says nothing, until `restore`; new connections are silent too. */
  silence(): void {
    this.#silent = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.unpipe().pause();
  }

  /** Lets new connections through again. */
  restore(): void {
    this.#refusing = false;
    this.#silent = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket, target: RelayTarget): void {
    this.connections += 1;
    if (this.#refusing) {
      near.on("error", () => undefined).resetAndDestroy();
      return;
    }
    const far = connect(target);
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.on("error", () => undefined);
      socket.once("close", () => {
        this.#pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
    if (this.#silent) return;
    near.pipe(far);
    far.pipe(near);
  }
}
