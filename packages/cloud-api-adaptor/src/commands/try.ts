import {
  connectProvider,
  loadProvider,
  silentLogger,
  type CloudProvider,
  type OptionValues,
} from "@peerpods/cloud-providers";
import { setTimeout as delay } from "node:timers/promises";
import { optionsWith, secretTexts } from "../daemon/all-options.ts";
import { createScrubber } from "../daemon/scrub.ts";
import { CommandError, causeLine } from "./command-error.ts";
import { connectDaemon, type CommandContext } from "./context.ts";
import { harmless } from "./output.ts";
import { providerConfig } from "./provider-config.ts";
import { providerProblem } from "./provider-problem.ts";
import { run } from "./run.ts";
import { sweepClusters } from "./sweep.ts";
import { removeLeftTunnels } from "./try/left-tunnels.ts";
import { startPrivateDaemon, type PrivateDaemon } from "./try/private-daemon.ts";

/** Options of `peerpods try`, as the command line gives them. */
export interface TryCommand {
  readonly provider: string;
  /** Flags of the daemon for this provider. */
  readonly argv: readonly string[];
  /** Container image, pulled in the VM. */
  readonly image: string;
  /** Run in the container by its `/bin/sh -c`. */
  readonly script: string;
  /** URL of the running program. */
  readonly programUrl: string;
}

const GONE_TIMEOUT_MS = 600_000;
const POLL_MS = 250;

/**
 * `peerpods try <provider>`: one real pod VM with this configuration, by a daemon of its own beside any other; runs a container
 * in it, tells what took how long, deletes it, and asks the cloud whether anything is left.
 * @returns the container's exit code, or 1 when something was left.
 */
export async function tryProvider(context: CommandContext, command: TryCommand): Promise<number> {
  const { env } = context.providers;
  const { provider: name, argv, programUrl } = command;
  const cloudProvider = await loadProvider(name, context.providers).catch(providerProblem);
  const scrub = createScrubber(secretTexts(optionsWith(cloudProvider), { argv, env }));
  const config = providerConfig(cloudProvider, { argv, env });
  await using daemon = await startPrivateDaemon(
    { provider: name, argv, env, programUrl },
    context.signal,
  ).catch((error: unknown) => {
    throw error instanceof CommandError
      ? new CommandError(scrub(harmless(error.message)), { remedy: error.remedy })
      : error;
  });
  const [tried] = await Promise.allSettled([runOnce(context, command, daemon)]);
  await daemon.stop();
  const left = await whatIsLeft(cloudProvider, { config, env, daemon });
  const tunnels = await removeLeftTunnels(daemon.journalDirectory);
  const clean = left.clean && tunnels.length === 0;
  context.stderr.write(scrub(harmless(`\n${[left.text, ...tunnels].join("\n")}\n`)));
  if (clean) daemon.forget();
  else context.stderr.write(`the daemon's journal is kept in ${daemon.directory}\n`);
  if (tried.status === "rejected") throw tried.reason;
  return clean ? tried.value : 1;
}

async function runOnce(context: CommandContext, command: TryCommand, daemon: PrivateDaemon): Promise<number> {
  try {
    return await run({ ...context, controlSocket: daemon.controlSocket }, runOptions(command));
  } finally {
    // What the daemon cannot delete is found by the sweep, which says more.
    await untilNoSandbox(context, daemon).catch(() => undefined);
  }
}

function runOptions({ image, script }: TryCommand): Parameters<typeof run>[1] {
  return {
    image,
    command: ["/bin/sh", "-c", script],
    namespace: "default",
    env: [],
    workdir: "/",
    interactive: false,
    tty: false,
    machineType: "",
    podVMImage: "",
    vcpus: 0,
    memory: 0,
    timeline: true,
  };
}

/** StopVM is answered before the cloud has deleted the machine; the daemon has no sandbox once it has. */
async function untilNoSandbox(context: CommandContext, { controlSocket }: PrivateDaemon): Promise<void> {
  // Its own time: also after an interruption the pod VM is to go.
  const signal = AbortSignal.timeout(GONE_TIMEOUT_MS);
  await using connection = await connectDaemon({ ...context, controlSocket, signal });
  for (;;) {
    const { sandboxes } = await connection.control.listSandboxes({}, { signal, timeoutMs: 10_000 });
    if (sandboxes.length === 0) return;
    await delay(POLL_MS, undefined, { signal });
  }
}

/** Asks the cloud, and deletes what it names. */
async function whatIsLeft(
  cloudProvider: CloudProvider,
  {
    config,
    env,
    daemon,
  }: {
    readonly config: OptionValues;
    readonly env: CommandContext["providers"]["env"];
    readonly daemon: PrivateDaemon;
  },
): Promise<{ readonly clean: boolean; readonly text: string }> {
  const tag = `cluster ${daemon.clusterId}`;
  try {
    const connect = () =>
      connectProvider(cloudProvider, {
        config,
        env,
        logger: silentLogger,
        stateDir: daemon.providerStateDir,
      });
    const { looked, found, stayed } = await sweepClusters(connect, [daemon.clusterId]);
    if (!looked)
      return { clean: false, text: `the provider cannot list instances: look for ${tag} yourself` };
    if (found.length === 0) return { clean: true, text: `nothing is left: no instance carries ${tag}` };
    const deleted = found.length - stayed.length;
    return {
      clean: false,
      text: [`${found.length} left behind, ${deleted} deleted now (${found.join(", ")})`, ...stayed].join(
        "\n",
      ),
    };
  } catch (error) {
    return { clean: false, text: `it could not be asked what is left of ${tag}: ${causeLine(error)}` };
  }
}
