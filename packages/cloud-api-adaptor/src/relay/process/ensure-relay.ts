import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@peerpods/cloud-providers";
import type { RelayControl, RelayHello } from "../../sandbox/relay-port.ts";
import { createRelayClient } from "../control/client.ts";
import { OLDEST_RELAY_PROTOCOL } from "../control/protocol.ts";
import { RelayError } from "../errors.ts";
import { isLocked, lockedCommand } from "./lock.ts";
import type { RelayLauncher } from "./launch.ts";

const POLL_MS = 20;

export interface EnsureRelayOptions {
  /** Path of the relay's control socket. */
  readonly socketPath: string;
  /** Program and arguments of the relay, without those that say where its sockets are. */
  readonly command: readonly string[];
  readonly launcher: RelayLauncher;
  readonly logger: Logger;
}

/**
 * Finds the relay that answers on the socket, or starts one. Two at the same time end with one relay: it holds a file lock
 * as long as it lives, and a second one ends at once.
 * @throws RelayError `unavailable` when none can be started; or `signal.reason`, which is the only limit of the wait.
 */
export async function ensureRelay(
  options: EnsureRelayOptions,
  wait: { readonly signal: AbortSignal },
): Promise<RelayControl> {
  const { socketPath, logger } = options;
  const relay = createRelayClient({ socketPath });
  const found = await greet(relay, wait);
  if (found !== undefined) {
    logger.info({ socket: socketPath, ...found }, "found the agent relay");
    return relay;
  }
  const started = await start(options, relay, wait);
  logger.info({ socket: socketPath, ...started }, "started the agent relay");
  return relay;
}

/** The relay's introduction, or undefined when none answers. */
async function greet(
  relay: RelayControl,
  wait: { readonly signal: AbortSignal },
): Promise<RelayHello | undefined> {
  try {
    const hello = await relay.hello(wait);
    if (hello.protocol >= OLDEST_RELAY_PROTOCOL) return hello;
    throw new RelayError(
      "unsupported",
      `the relay that answers speaks protocol ${hello.protocol}, which is older than ${OLDEST_RELAY_PROTOCOL}; end its pods, then the relay`,
    );
  } catch (error) {
    if (error instanceof RelayError && error.code === "unavailable") return undefined;
    throw error;
  }
}

async function start(
  { socketPath, command, launcher }: EnsureRelayOptions,
  relay: RelayControl,
  wait: { readonly signal: AbortSignal },
): Promise<RelayHello> {
  using launched = await launcher.launch(lockedCommand(socketPath, command), wait);
  let endedBecause: string | undefined;
  void launched.ended.then((reason) => (endedBecause = reason));
  for (;;) {
    const hello = await greet(relay, wait);
    if (hello !== undefined) return hello;
    // One that ended because another holds the lock leaves that one to be greeted.
    if (endedBecause !== undefined && !(await isLocked(socketPath, wait))) {
      throw new RelayError("unavailable", `the agent relay did not start: ${endedBecause}`);
    }
    await sleep(POLL_MS, undefined, wait).catch(() => wait.signal.throwIfAborted());
  }
}
