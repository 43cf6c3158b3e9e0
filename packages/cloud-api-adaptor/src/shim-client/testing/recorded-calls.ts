import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { once } from "node:events";
import type { ConnectRouter } from "@connectrpc/connect";
import { createTtrpcServer, decodeRequest, FrameDecoder } from "@peerpods/ttrpc";

/** A request as it came over the wire. */
export interface RecordedCall {
  /** `H1`, `H2`, ... connections to the hypervisor; `A1`, ... to the agent; in the order in which they were made. */
  readonly connection: string;
  readonly streamId: number;
  readonly method: string;
  /** `ns` when `containerd-namespace-ttrpc: k8s.io` is its only metadata, else the metadata itself. */
  readonly metadata: string;
  /** In seconds, rounded up; undefined is none. */
  readonly deadlineS: number | undefined;
  readonly payload: Uint8Array;
}

/** Everything that a shim sends to one machine: calls and closings, in their order. */
export class ShimRecorder implements AsyncDisposable {
  readonly calls: RecordedCall[] = [];
  /** Calls as `<connection> <method>`, and `<connection> closed`. */
  readonly events: string[] = [];
  readonly #resources = new AsyncDisposableStack();

  /** Serves `routes` on a unix socket and records what comes; connections are named after `letter`. */
  async serve(path: string, letter: "H" | "A", routes: (router: ConnectRouter) => void): Promise<void> {
    const server = this.#resources.use(createTtrpcServer(routes));
    let count = 0;
    const listener = createServer((socket) => {
      count += 1;
      this.#record(socket, `${letter}${count}`);
      server.serve(socket);
    });
    this.#resources.defer(() => closed(listener));
    listener.listen({ path });
    await once(listener, "listening");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  #record(socket: Socket, connection: string): void {
    const decoder = new FrameDecoder({
      onFrame: ({ streamId, body }) => {
        const { method, metadata, timeoutNano, payload } = decodeRequest(body);
        this.calls.push({
          connection,
          streamId,
          method,
          metadata: describeMetadata(metadata),
          deadlineS: timeoutNano === 0n ? undefined : Math.ceil(Number(timeoutNano) / 1e9),
          payload: Uint8Array.from(payload),
        });
        this.events.push(`${connection} ${method}`);
      },
      onOversize: () => this.events.push(`${connection} oversize`),
    });
    socket.on("data", (chunk: Buffer) => decoder.push(chunk));
    socket.once("end", () => this.events.push(`${connection} closed`));
  }
}

function describeMetadata(metadata: readonly (readonly [string, string])[]): string {
  const text = metadata.map(([key, value]) => `${key}: ${value}`).join(", ");
  return text === "containerd-namespace-ttrpc: k8s.io" ? "ns" : text;
}

async function closed(listener: Server): Promise<void> {
  listener.close();
  await once(listener, "close");
}
