import { once } from "node:events";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { HandlerContext } from "@connectrpc/connect";
import { AgentService } from "@peerpods/kata-protocols/agent";
import type { CreateContainerRequest } from "@peerpods/kata-protocols/agent";
import { Health, HealthCheckResponseSchema } from "@peerpods/kata-protocols/health";
import { createTtrpcServer } from "@peerpods/ttrpc";
import type { RelayTarget } from "../../sandbox/relay-port.ts";
import type { TestTls } from "./tls.ts";

type ServerTls = TestTls["server"] & { readonly maxVersion?: "TLSv1.2" };

/** The far end in tests: a forwarder's port with an agent right behind it, on loopback. */
export class AgentVm implements AsyncDisposable {
  /** Methods in the order of their arrival, on all connections. */
  readonly calls: string[] = [];
  readonly createContainerRequests: CreateContainerRequest[] = [];
  /** What blocked calls wait for. */
  readonly exit = Promise.withResolvers<number>();
  readonly output: Uint8Array[] = [];
  /** While false, health checks are never answered: an agent that hangs. */
  answersChecks = true;
  /** Answer of GetMetrics, which may be large. */
  metrics = "";
  readonly #resources = new AsyncDisposableStack();
  readonly #sockets = new Set<Socket>();
  #wake = Promise.withResolvers<void>();
  #port = 0;

  /** `tls` absent is plain TCP. */
  static async start(tls?: ServerTls): Promise<AgentVm> {
    const vm = new AgentVm();
    await vm.#listen(tls);
    return vm;
  }

  get target(): RelayTarget {
    return { host: "127.0.0.1", port: this.#port };
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Resolves when `method` has been called `times` times. */
  async called(method: string, times = 1): Promise<void> {
    while (this.calls.filter((name) => name === method).length < times) await this.#wake.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#resources.disposeAsync();
  }

  async #listen(tls: ServerTls | undefined): Promise<void> {
    const server = this.#resources.use(createTtrpcServer((router) => this.#routes(router)));
    const serve = (socket: Socket): void => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => this.#sockets.delete(socket));
      server.serve(socket);
    };
    const listener =
      tls === undefined
        ? createTcpServer(serve)
        : createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true }, serve);
    listener.on("tlsClientError", () => undefined);
    listener.listen({ host: "127.0.0.1", port: 0 });
    await once(listener, "listening");
    this.#resources.defer(() => void listener.close());
    this.#port = (listener.address() as AddressInfo).port;
  }

  #routes(router: Parameters<Parameters<typeof createTtrpcServer>[0]>[0]): void {
    router.service(Health, {
      check: async (_request, context) => {
        this.#note("Check");
        if (!this.answersChecks) await aborted(context);
        return create(HealthCheckResponseSchema, { status: 1 });
      },
    });
    router.service(AgentService, {
      getOOMEvent: async (_request, context) => {
        this.#note("GetOOMEvent");
        return await aborted(context);
      },
      waitProcess: async (_request, context) => {
        this.#note("WaitProcess");
        return { status: await Promise.race([this.exit.promise, aborted(context)]) };
      },
      readStdout: async (_request, context) => {
        this.#note("ReadStdout");
        while (this.output.length === 0) await Promise.race([this.#wake.promise, aborted(context)]);
        return { data: this.output.shift() ?? new Uint8Array() };
      },
      createContainer: (request) => {
        this.createContainerRequests.push(request);
        this.#note("CreateContainer");
        return {};
      },
      execProcess: async (_request, context) => {
        this.#note("ExecProcess");
        return await aborted(context);
      },
      copyFile: () => {
        this.#note("CopyFile");
        return {};
      },
      removeContainer: () => {
        throw new ConnectError('"InvalidExecId"', Code.NotFound);
      },
      getMetrics: () => {
        this.#note("GetMetrics");
        return { metrics: this.metrics };
      },
      destroySandbox: async (_request, context) => {
        this.#note("DestroySandbox");
        for (const socket of this.#sockets) socket.destroy();
        return await aborted(context);
      },
    });
  }

  #note(method: string): void {
    this.calls.push(method);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** Hands out `text` on the next ReadStdout. */
  print(text: string): void {
    this.output.push(Buffer.from(text));
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

function aborted({ signal }: HandlerContext): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
