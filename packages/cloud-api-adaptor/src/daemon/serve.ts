import { systemClock } from "@peerpods/cloud-providers";
import type { Provider } from "@peerpods/cloud-providers";
import type { TtrpcServer } from "@peerpods/ttrpc";
import { controlRoutes } from "../control/service.ts";
import { hypervisorRoutes } from "../hypervisor/routes.ts";
import { createLocalServer } from "../local-socket.ts";
import type { Lifecycle } from "../sandbox/lifecycle.ts";
import type { FailedStarts } from "../sandbox/ports.ts";
import type { RelayControl } from "../sandbox/ports.ts";
import { packageVersion as version } from "../release.ts";
import { claimSocketPath, isServed } from "./claim-socket-path.ts";
import type { Telemetry } from "../observability/telemetry.ts";
import type { DaemonParts } from "./parts.ts";
import { serveProbe } from "./probe.ts";

/** Everything the daemon listens on. */
export interface Services extends AsyncDisposable {
  readonly hypervisor: TtrpcServer;
}

/**
 * Opens the hypervisor socket, the control socket and the probe endpoint.
 * @throws SocketPathError when a path is taken; nothing is open then.
 */
export async function serve(
  { settings, cloudProvider, options, recentLog, logger }: DaemonParts,
  {
    lifecycle,
    relay,
    provider,
    failedStarts,
    telemetry,
  }: {
    readonly lifecycle: Lifecycle;
    readonly relay: RelayControl;
    readonly provider: Provider;
    readonly failedStarts: FailedStarts;
    readonly telemetry: Pick<Telemetry, "observer" | "metrics">;
  },
): Promise<Services> {
  await using stack = new AsyncDisposableStack();
  const { socketPath, controlSocketPath, podsDir, network, probePort } = settings;
  const hypervisor = stack.use(
    createLocalServer(
      hypervisorRoutes(lifecycle, {
        podsDir,
        multiNic: network.externalNetViaPodVm,
        logger,
        observer: telemetry.observer,
      }),
      { logger },
    ),
  );
  const control = stack.use(
    createLocalServer(
      controlRoutes({
        lifecycle,
        relay,
        cloud: provider,
        failedStarts,
        options,
        recentLog: () => recentLog.lines(),
        logger,
        version,
        provider: cloudProvider.name,
        hypervisorSocket: socketPath,
        sandboxLimit: settings.maxSandboxes,
        startedAtMs: systemClock.now(),
      }),
      { logger },
    ),
  );
  await claimSocketPath(controlSocketPath, "control-socket");
  await control.listen({ path: controlSocketPath });
  await claimSocketPath(socketPath, "socket");
  await hypervisor.listen({ path: socketPath });
  if (probePort > 0) {
    const { metrics } = telemetry;
    const isReady = () => isServed(socketPath);
    stack.use(
      await serveProbe(
        { isReady, ...(metrics === undefined ? {} : { metrics: () => metrics.expose() }) },
        probePort,
      ),
    );
  }
  const services = stack.move();
  return { hypervisor, [Symbol.asyncDispose]: () => services.disposeAsync() };
}
