#!/usr/bin/env node
import { createIpRoute2, setUpPodVMNetwork, tearDownPodVMNetwork } from "@peerpods/pod-network";
import type { PodNetworkConfig } from "@peerpods/podvm-contract";
import { tuneCollectorForRelaying } from "@peerpods/ttrpc/relay";
import type { Logger } from "pino";
import { createCloudVolumes } from "./forwarder/cloud-volumes/cloud-volumes.ts";
import { createSystemVolumes } from "./forwarder/cloud-volumes/system-volumes.ts";
import { loadApfConfig } from "./forwarder/config.ts";
import { parseForwarderEnvironment } from "./forwarder/environment.ts";
import { ForwarderError } from "./forwarder/errors.ts";
import { startForwarder } from "./forwarder/forwarder.ts";
import { createServiceNotifier } from "./forwarder/notify.ts";
import { asksForHelp, forwarderHelp, parseForwarderOptions } from "./forwarder/options.ts";
import type { ForwarderOptions } from "./forwarder/options.ts";
import { preloadEdits } from "./forwarder/requests/decide.ts";
import { resolveServerTls } from "./forwarder/tls.ts";
import { createLogger } from "./program/logger.ts";
import { untilSignal } from "./program/until-signal.ts";
import { versionText } from "./version.ts";

const program = "agent-protocol-forwarder";
const tearDownTimeoutMs = 30_000;

async function main(args: readonly string[]): Promise<void> {
  if (asksForHelp(args)) {
    process.stdout.write(forwarderHelp(program));
    return;
  }
  const options = parseForwarderOptions(args);
  const environment = parseForwarderEnvironment(process.env);
  process.stdout.write(versionText(program));
  if (options.showVersion) return;
  const notifier = createServiceNotifier(process.env);
  await untilSignal(async (signal) => {
    await serve(options, { signal, logger: createLogger(program), notifier, environment });
  });
}

interface ServeContext {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly notifier: ReturnType<typeof createServiceNotifier>;
  readonly environment: ReturnType<typeof parseForwarderEnvironment>;
}

async function serve(
  options: ForwarderOptions,
  { signal, logger, notifier, environment }: ServeContext,
): Promise<void> {
  const config = await loadApfConfig(options.configPath);
  // What is wrong with the certificates is known before the network is touched.
  const tls = await resolveServerTls(options, config);
  if (tls === undefined) logger.warn("TLS is off: anyone who reaches the port can drive the agent");
  const { podNetwork } = config;
  if (podNetwork === undefined)
    throw new ForwarderError("config", `${options.configPath} has no pod-network`);

  await using resources = new AsyncDisposableStack();
  await setUpNetwork(podNetwork, options, signal);
  resources.defer(() => tearDownNetwork(podNetwork, options, logger));
  const forwarder = resources.use(
    await startForwarder({
      listen: options.listen,
      tls,
      agentSocket: options.agentSocket,
      podNetns: options.podNetns,
      volumes: createCloudVolumes(createSystemVolumes(environment.diskDetection), { logger }),
      logger,
    }),
  );
  logger.info(
    { port: forwarder.port, podName: config.podName, podNamespace: config.podNamespace },
    "forwarding",
  );
  await notifier.ready();
  await preloadEdits();
  await Promise.race([forwarder.failed, aborted(signal)]);
  await notifier.stopping();
}

async function setUpNetwork(
  config: PodNetworkConfig,
  { podNetns, hostInterface }: ForwarderOptions,
  signal: AbortSignal,
): Promise<void> {
  try {
    await setUpPodVMNetwork(config, createIpRoute2(), {
      signal,
      netnsPath: podNetns,
      hostInterface: hostInterface === "" ? undefined : hostInterface,
    });
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new ForwarderError("network", `failed to set up pod network: ${reason}`, { cause: error });
  }
}

async function tearDownNetwork(
  config: PodNetworkConfig,
  { podNetns: netnsPath }: ForwarderOptions,
  logger: Logger,
): Promise<void> {
  try {
    const signal = AbortSignal.timeout(tearDownTimeoutMs);
    await tearDownPodVMNetwork(config, createIpRoute2(), { signal, netnsPath });
  } catch (err) {
    logger.error({ err }, "the pod network could not be removed");
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

tuneCollectorForRelaying();
try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${program}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
