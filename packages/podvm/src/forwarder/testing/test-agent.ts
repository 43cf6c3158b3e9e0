import { rm } from "node:fs/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { AgentService } from "@peerpods/kata-protocols/agent";
import { Health, HealthCheckResponse_ServingStatus } from "@peerpods/kata-protocols/health";
import { createTtrpcServer } from "@peerpods/ttrpc";

/** An agent on a unix socket whose answers a test chooses. */
export interface TestAgent extends AsyncDisposable {
  readonly path: string;
  /** `Service/Method` of every call that arrived. */
  readonly calls: readonly string[];
  /** Calls whose handlers are running. */
  readonly running: ReadonlySet<string>;
}

/** Starts an agent. Methods that are not given are UNIMPLEMENTED, except Check, and those that wait until cancelled. */
export async function startTestAgent(
  path: string,
  methods: Partial<ServiceImpl<typeof AgentService>> = {},
): Promise<TestAgent> {
  const calls: string[] = [];
  const running = new Set<string>();
  const untilCancelled = async (_request: unknown, { signal, method }: HandlerContext): Promise<never> => {
    running.add(method.name);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    running.delete(method.name);
    throw new ConnectError("cancelled", Code.Canceled);
  };
  const server = createTtrpcServer((router) => {
    router.service(AgentService, {
      getOOMEvent: untilCancelled,
      readStdout: untilCancelled,
      waitProcess: untilCancelled,
      ...methods,
    });
    router.service(Health, {
      check: (_request, context) => {
        calls.push(
          `Check ${context.requestHeader.get("containerd-namespace-ttrpc") ?? ""} ${context.timeoutMs()}`,
        );
        return { status: HealthCheckResponse_ServingStatus.SERVING };
      },
    });
  });
  await rm(path, { force: true });
  await server.listen({ path });
  return {
    path,
    calls,
    running,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
