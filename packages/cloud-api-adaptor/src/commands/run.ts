import { randomBytes } from "node:crypto";
import {
  HypervisorClient,
  startPod,
  type ContainerRequest,
  type PodRequest,
  type RunningPod,
} from "../shim-client/index.ts";
import { CommandError, causeLine } from "./command-error.ts";
import { connectDaemon, type CommandContext } from "./context.ts";
import { sweepNetworks } from "./run/left-networks.ts";
import { createPodNetwork } from "./run/pod-network.ts";
import { podFiles } from "./run/pod-files.ts";
import { PhaseLine } from "./run/phase-line.ts";
import { passSignals } from "./run/signals.ts";
import { collectTimeline, type Timeline } from "./run/timeline.ts";

/** Exit code when the pod or its container could not be run, as container tools use it. */
const CANNOT_RUN = 125;

/** Options of `peerpods run`, as the command line gives them. */
export interface RunOptions {
  readonly image: string;
  readonly command: readonly string[];
  /** Path of a network namespace that a CNI has prepared; without it one is made and removed again. */
  readonly netns?: string;
  readonly name?: string;
  readonly namespace: string;
  readonly env: readonly string[];
  readonly workdir: string;
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly machineType: string;
  readonly podVMImage: string;
  readonly vcpus: number;
  /** MiB. */
  readonly memory: number;
  readonly timeline: boolean;
}

/**
 * `peerpods run`: one pod of one container on the daemon of this node, called as the kata shim calls it. Returns the
 * container's exit code. Whatever happens, the pod is stopped before this returns.
 */
export async function run(context: CommandContext, options: RunOptions): Promise<number> {
  const { signal } = context;
  if (options.command.length === 0) {
    throw new CommandError("no command was given, and this node does not have the image's own", {
      remedy: `name it after --, e.g. peerpods run ${options.image} -- sh -c 'echo hello'`,
      exitCode: CANNOT_RUN,
    });
  }
  await using daemon = await connectDaemon(context);
  const { hypervisorSocket } = await daemon.control.info({}, { signal, timeoutMs: 10_000 });
  for (const name of await sweepNetworks()) {
    // As JSON, standard error holds the timeline only.
    if (!context.json)
      context.stderr.write(`removed ${name}, the network of an earlier run that was killed\n`);
  }
  await using network = await createPodNetwork(options.netns, signal);
  const pod = podRequest(options, network.path);
  const timeline = collectTimeline(daemon.control, pod.sandboxId);
  await using line = new PhaseLine(context.stderr);
  const running = await start({ hypervisorSocket, pod, line, timeline }, signal).catch(
    failure(
      `peerpods logs ${pod.sandboxId.slice(0, 12)} shows what the guest wrote, if it came so far; the daemon's log says more`,
    ),
  );
  let exitCode: number;
  try {
    exitCode = await runContainer(context, options, { running, address: network.address, timeline }).catch(
      failure(
        "the pod VM itself was up, so look at image and command; the VM pulls the image, and must reach its registry",
      ),
    );
  } finally {
    line.show("stopping");
    await running
      .stop(AbortSignal.timeout(120_000))
      .catch(failure("peerpods ps shows what is left of the pod"));
  }
  timeline.mark("stopped");
  line.clear();
  await timeline.settle();
  if (options.timeline) context.stderr.write(context.json ? timeline.json() : timeline.text());
  return exitCode;
}

async function start(
  {
    hypervisorSocket,
    pod,
    line,
    timeline,
  }: {
    readonly hypervisorSocket: string;
    readonly pod: PodRequest;
    readonly line: PhaseLine;
    readonly timeline: Timeline;
  },
  signal: AbortSignal,
): Promise<RunningPod> {
  timeline.onPhase((phase) => line.show(phase));
  return await startPod(new HypervisorClient(hypervisorSocket), pod, {
    signal,
    onStep: (step) => {
      timeline.mark(step);
      line.show(step);
    },
  });
}

async function runContainer(
  context: CommandContext,
  options: RunOptions,
  { running, address, timeline }: { running: RunningPod; address: string | undefined; timeline: Timeline },
): Promise<number> {
  const { request } = running;
  const container = await running.startContainer(
    containerRequest(options),
    podFiles({ hostname: request.name, address, dns: request.dns }),
    {
      stdout: context.stdout,
      stderr: context.stderr,
      ...(options.interactive ? { stdin: context.stdin } : {}),
    },
  );
  timeline.mark("container");
  using signals = passSignals(container, { context, tty: options.tty });
  const exitCode = await Promise.race([container.exited, running.lost, signals.insisted]);
  timeline.mark("exit");
  return exitCode;
}

function podRequest(options: RunOptions, netnsPath: string): PodRequest {
  return {
    sandboxId: randomBytes(32).toString("hex"),
    name: options.name ?? `run-${randomBytes(3).toString("hex")}`,
    namespace: options.namespace,
    netnsPath,
    machineType: options.machineType,
    podVMImage: options.podVMImage,
    vcpus: options.vcpus,
    memoryMiB: options.memory,
    initdata: "",
    dns: [],
  };
}

function containerRequest(options: RunOptions): ContainerRequest {
  return {
    containerId: randomBytes(32).toString("hex"),
    name: "main",
    image: options.image,
    args: options.command,
    env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ...options.env],
    cwd: options.workdir,
    terminal: options.tty,
  };
}

/** Makes of whatever went wrong an error for people. */
function failure(remedy: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof CommandError) throw error;
    throw new CommandError(causeLine(error), { remedy, exitCode: CANNOT_RUN, cause: error });
  };
}
