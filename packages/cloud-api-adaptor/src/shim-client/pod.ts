import { createClient, type Client } from "@connectrpc/connect";
import { AgentService } from "@peerpods/kata-protocols/agent";
import { Health } from "@peerpods/kata-protocols/health";
import { dialTtrpc, type TtrpcClientConnection } from "@peerpods/ttrpc";
import { asShim, deadlinesMs } from "./agent-calls.ts";
import { removeContainer, startContainer, type ContainerStdio, type RunningContainer } from "./container.ts";
import { copyFile, type PodFile } from "./copy-file.ts";
import type { HypervisorClient } from "./hypervisor.ts";
import { superviseAgent, type Supervision } from "./supervision.ts";
import { pauseSpec } from "./oci-spec.ts";
import type { ContainerRequest, PodRequest } from "./pod-request.ts";

/** Steps of a pod's start, in their order, for a progress line. */
export type PodStep = "CreateVM" | "StartVM" | "CreateSandbox" | "pause container" | "running";

export interface PodOptions {
  /** Ends every call; the pod is not stopped by it. */
  readonly signal: AbortSignal;
  /** Told when a step begins. */
  readonly onStep?: (step: PodStep) => void;
}

/** A pod that runs: the agent connection is up and the pause container started. */
export interface RunningPod {
  readonly request: PodRequest;
  readonly agent: Client<typeof AgentService>;
  /** Rejects when the agent is lost: a failed check, a closed connection, or a pause container that ended. */
  readonly lost: Promise<never>;
  startContainer(
    container: ContainerRequest,
    files: readonly PodFile[],
    stdio: ContainerStdio,
  ): Promise<RunningContainer>;
  /**
   * Stops the pod as the shim does: pause container, DestroySandbox, StopVM, then the agent connection. What the agent
   * fails to answer is passed over, StopVM is always sent; its error is thrown.
   */
  stop(signal: AbortSignal): Promise<void>;
}

/**
 * Starts a pod on a remote hypervisor with the calls, the order, the metadata, the deadlines and the reads of the real
 * shim. When a step after CreateVM fails, StopVM is sent (after DestroySandbox, once there is a sandbox), and the step's
 * error is thrown.
 */
export async function startPod(
  hypervisor: HypervisorClient,
  request: PodRequest,
  { signal, onStep = () => undefined }: PodOptions,
): Promise<RunningPod> {
  onStep("CreateVM");
  const agentSocket = await hypervisor.createVM(request, signal);
  let connection: TtrpcClientConnection | undefined;
  let hasSandbox = false;
  try {
    onStep("StartVM");
    await hypervisor.startVM(request.sandboxId, signal);
    connection = await dialTtrpc({ path: agentSocket }, { signal });
    const agent = createClient(AgentService, connection.transport);
    const health = createClient(Health, connection.transport);
    await health.check({}, asShim(deadlinesMs.check, signal));
    onStep("CreateSandbox");
    await createSandbox(agent, request, signal);
    hasSandbox = true;
    await agent.getGuestDetails(
      { memBlockSize: true, memHotplugProbe: true },
      asShim(deadlinesMs.agent, signal),
    );
    onStep("pause container");
    await startPause(agent, request, signal);
    const supervision = superviseAgent({ agent, health, connection, sandboxId: request.sandboxId });
    onStep("running");
    return runningPod({ hypervisor, request, agent, connection, supervision, signal });
  } catch (error) {
    // The caller may have given up; what was begun is taken back all the same.
    const cleanup = AbortSignal.timeout(deadlinesMs.agent);
    if (hasSandbox && connection !== undefined)
      await createClient(AgentService, connection.transport)
        .destroySandbox({}, asShim(deadlinesMs.agent, cleanup))
        .catch(() => undefined);
    await hypervisor.stopVM(request.sandboxId, cleanup).catch(() => undefined);
    connection?.close();
    throw error;
  }
}

async function createSandbox(
  agent: Client<typeof AgentService>,
  request: PodRequest,
  signal: AbortSignal,
): Promise<void> {
  await agent.createSandbox(
    {
      hostname: request.name.slice(0, 64),
      dns: [...request.dns],
      sandboxId: request.sandboxId,
      storages: [
        {
          driver: "ephemeral",
          source: "shm",
          fstype: "tmpfs",
          mountPoint: "/run/kata-containers/sandbox/shm",
          options: ["noexec", "nosuid", "nodev", "mode=1777", "size=67108864"],
        },
      ],
    },
    asShim(deadlinesMs.createSandbox, signal),
  );
}

async function startPause(
  agent: Client<typeof AgentService>,
  request: PodRequest,
  signal: AbortSignal,
): Promise<void> {
  const { sandboxId } = request;
  const resolvConf = { destination: "/etc/resolv.conf", content: Buffer.from(request.dns.join("\n")) };
  const copied = await copyFile(agent, resolvConf, { ownerId: sandboxId, signal });
  await agent.createContainer(
    { containerId: sandboxId, execId: sandboxId, ...pauseSpec(request, [copied]) },
    asShim(deadlinesMs.createContainer, signal),
  );
  await agent.startContainer({ containerId: sandboxId }, asShim(deadlinesMs.agent, signal));
}

function runningPod(parts: {
  readonly hypervisor: HypervisorClient;
  readonly request: PodRequest;
  readonly agent: Client<typeof AgentService>;
  readonly connection: TtrpcClientConnection;
  readonly supervision: Supervision;
  readonly signal: AbortSignal;
}): RunningPod {
  const { hypervisor, request, agent, connection, supervision, signal } = parts;
  const { sandboxId } = request;
  return {
    request,
    agent,
    lost: supervision.lost,
    startContainer: (container, files, stdio) =>
      startContainer(agent, { pod: request, container, files, stdio }, signal),
    async stop(signal) {
      supervision.stop();
      const call = asShim(deadlinesMs.agent, signal);
      const ignore = (): undefined => signal.throwIfAborted() as undefined;
      try {
        // The kill that ends the pause container; the stop sequence then finds it ended.
        await agent.signalProcess({ containerId: sandboxId, execId: "", signal: 9 }, call).catch(ignore);
        await supervision.pauseEnded;
        await removeContainer(agent, sandboxId, signal).catch(ignore);
        await agent.destroySandbox({}, call).catch(ignore);
      } finally {
        // The real shim closes the agent connection right after StopVM is on its way.
        await hypervisor.stopVM(sandboxId, signal, () => connection.close());
      }
    },
  };
}
