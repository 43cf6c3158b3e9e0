import { chmod, rm } from "node:fs/promises";
import type { Logger } from "@peerpods/cloud-providers";
import type { RelayHello } from "../../sandbox/relay-port.ts";
import { createLocalServer } from "../../local-socket.ts";
import { createDirectVolumeFacts } from "../calls/direct-volumes.ts";
import { RELAY_PROTOCOL } from "../control/protocol.ts";
import { relayRoutes } from "../control/service.ts";
import type { RelayLimits } from "../dependencies.ts";
import { RelayTable } from "../relay-table.ts";
import { IdleTimer } from "./idle-timer.ts";
import { lockPathOf } from "./lock.ts";
import { enterOwnCgroup } from "./own-cgroup.ts";

/** How long calls on the control socket may go on when the relay is told to end. */
const SHUTDOWN_MS = 1_000;

export interface RunRelayOptions {
  /** Path of the control socket; its directory exists. */
  readonly socketPath: string;
  /** End by itself when there has been neither a sandbox nor a caller for so long; 0 never does. */
  readonly idleTimeoutMs: number;
  readonly limits: RelayLimits;
  readonly directVolumesDirectory: string;
  /** Name of a cgroup of its own to move to; absent stays where it was started. */
  readonly cgroup?: string | undefined;
  readonly version: string;
  readonly logger: Logger;
}

/**
 * Runs the relay until `signal` aborts or it has been idle for too long, then ends every sandbox and removes its sockets.
 * @throws Error when the control socket cannot be bound: another relay answers there, or the path is unusable.
 */
export async function runRelay(
  options: RunRelayOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<"stopped" | "idle"> {
  const { socketPath, idleTimeoutMs, limits, version, logger } = options;
  await using resources = new AsyncDisposableStack();
  resources.defer(() => rm(lockPathOf(socketPath), { force: true }));
  if (options.cgroup !== undefined) {
    const own = resources.use(await enterOwnCgroup({ name: options.cgroup }));
    logger.debug({ cgroups: own.directories }, "moved to a cgroup of its own");
  }
  const hello: RelayHello = { protocol: RELAY_PROTOCOL, version };
  const table = resources.use(
    new RelayTable({
      hello,
      limits,
      dependencies: {
        logger,
        now: () => Date.now(),
        facts: createDirectVolumeFacts(options.directVolumesDirectory),
      },
    }),
  );
  const idle = resources.use(
    new IdleTimer({ limitMs: idleTimeoutMs, isBusy: () => table.size > 0 || table.watchers > 0 }),
  );
  const routes = relayRoutes(idle.observing(table), { pid: process.pid });
  const server = resources.use(createLocalServer(routes, { logger }));
  await server.listen({ path: socketPath });
  await chmod(socketPath, 0o600);
  logger.info({ socket: socketPath, ...hello, pid: process.pid }, "relay ready");

  const reason = await Promise.race([idle.expired, stopped(signal)]);
  logger.info({ reason, sandboxes: table.size }, "relay ending");
  // Calls under way end with the table; watches would go on for ever.
  await Promise.all([table[Symbol.asyncDispose](), server.shutdown({ timeoutMs: SHUTDOWN_MS })]);
  return reason;
}

function stopped(signal: AbortSignal): Promise<"stopped"> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve("stopped");
    else signal.addEventListener("abort", () => resolve("stopped"), { once: true });
  });
}
