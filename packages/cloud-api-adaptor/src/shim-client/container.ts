import type { Readable, Writable } from "node:stream";
import type { Client } from "@connectrpc/connect";
import type { AgentService } from "@peerpods/kata-protocols/agent";
import { asShim, deadlinesMs } from "./agent-calls.ts";
import { copyFile, type PodFile } from "./copy-file.ts";
import { workloadSpec } from "./oci-spec.ts";
import type { ContainerRequest, PodRequest } from "./pod-request.ts";
import { copyInput, copyOutput } from "./stdio.ts";

type Agent = Client<typeof AgentService>;

/** Where a container's streams go. Without `stdin` the process has none. */
export interface ContainerStdio {
  readonly stdin?: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** A container that runs. */
export interface RunningContainer {
  readonly id: string;
  /** Resolves with the exit code once its output has ended; the container is removed by then. */
  readonly exited: Promise<number>;
  signal(number: number): Promise<void>;
  resize(size: { rows: number; columns: number }): Promise<void>;
}

/** Creates and starts a container as containerd's Create and Start make the shim do it. */
export async function startContainer(
  agent: Agent,
  {
    pod,
    container,
    files,
    stdio,
  }: {
    readonly pod: PodRequest;
    readonly container: ContainerRequest;
    readonly files: readonly PodFile[];
    readonly stdio: ContainerStdio;
  },
  signal: AbortSignal,
): Promise<RunningContainer> {
  const { containerId } = container;
  const copied = [];
  for (const file of files) copied.push(await copyFile(agent, file, { ownerId: containerId, signal }));
  const process = { containerId, execId: containerId };
  const call = asShim(deadlinesMs.agent, signal);
  await agent.createContainer(
    { ...process, ...workloadSpec(pod, container, copied) },
    asShim(deadlinesMs.createContainer, signal),
  );
  await agent.startContainer({ containerId }, call);

  const outputs = [
    copyOutput(agent, process, { stream: "stdout", to: stdio.stdout, signal }),
    // A terminal has one stream.
    ...(container.terminal
      ? []
      : [copyOutput(agent, process, { stream: "stderr", to: stdio.stderr, signal })]),
  ];
  const input = new AbortController();
  if (stdio.stdin !== undefined)
    copyInput(agent, process, { from: stdio.stdin, signal: AbortSignal.any([signal, input.signal]) }).catch(
      () => undefined,
    );
  const exited = (async () => {
    await Promise.all(outputs);
    input.abort();
    const { status } = await agent.waitProcess(process, asShim(undefined, signal));
    await removeContainer(agent, containerId, signal);
    return status;
  })();
  // Whoever asks for it sees the failure; until then it must not end the program.
  exited.catch(() => undefined);
  return {
    id: containerId,
    exited,
    async signal(number) {
      await agent.signalProcess({ containerId, execId: "", signal: number }, call);
    },
    async resize({ rows, columns }) {
      await agent.ttyWinResize({ ...process, row: rows, column: columns }, call);
    },
  };
}

const SIGKILL = 9;

/**
 * The stop sequence that the shim runs for every container, also for one that has ended by itself: then the kill finds
 * nothing and the second wait is answered NOT_FOUND, both of which are normal.
 */
export async function removeContainer(agent: Agent, containerId: string, signal: AbortSignal): Promise<void> {
  const call = asShim(deadlinesMs.agent, signal);
  const ignore = (): undefined => signal.throwIfAborted() as undefined;
  await agent.signalProcess({ containerId, execId: "", signal: SIGKILL }, call).catch(ignore);
  await agent.waitProcess({ containerId, execId: containerId }, asShim(undefined, signal)).catch(ignore);
  await agent.removeContainer({ containerId, timeout: 0 }, call);
  await agent.removeStaleVirtiofsShareMounts({}, call).catch(ignore);
}
