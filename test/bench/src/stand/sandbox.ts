import { createClient } from "@connectrpc/connect";
import { Health } from "@peerpods/kata-protocols/health";
import { dialTtrpc, type TtrpcClientConnection } from "@peerpods/ttrpc";
import type { PodRequest } from "./internals.ts";
import type { WorkerNode } from "./node.ts";

/** A sandbox that runs, with the agent connection that its shim would hold. */
export interface Sandbox {
  /** Milliseconds of the two calls. */
  readonly createMs: number;
  readonly startMs: number;
  readonly connection: TtrpcClientConnection;
  /** Ends it as a shim does; resolves with the milliseconds until the answer of StopVM. */
  stop(): Promise<number>;
}

/** Creates and starts a sandbox, dials its agent and makes one health check. */
export async function startSandbox({ hypervisor }: WorkerNode, request: PodRequest): Promise<Sandbox> {
  const signal = AbortSignal.timeout(120_000);
  const began = performance.now();
  const agentSocket = await hypervisor.createVM(request, signal);
  const created = performance.now();
  await hypervisor.startVM(request.sandboxId, signal);
  const started = performance.now();
  const connection = await dialTtrpc({ path: agentSocket }, { signal });
  await createClient(Health, connection.transport).check({}, { timeoutMs: 30_000 });
  return {
    createMs: created - began,
    startMs: started - created,
    connection,
    async stop() {
      const asked = performance.now();
      await hypervisor.stopVM(request.sandboxId, AbortSignal.timeout(60_000), () => connection.close());
      return performance.now() - asked;
    },
  };
}
