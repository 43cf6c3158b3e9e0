/**
 * A daemon in tests, as a process to be killed: starts or finds a relay, opens a sandbox, says so, and waits.
 * Arguments: the control socket, the open request as JSON.
 */

import { silentLogger } from "@peerpods/cloud-providers";
import { ensureRelay } from "../process/ensure-relay.ts";
import { detachedLauncher } from "../process/launch.ts";
import { relayCommandBeside } from "../process/relay-command.ts";

const [socketPath = "", request = ""] = process.argv.slice(2);
const signal = AbortSignal.timeout(20_000);
const relay = await ensureRelay(
  {
    socketPath,
    command: relayCommandBeside(new URL("../../main.ts", import.meta.url).href),
    launcher: detachedLauncher(`${socketPath}.log`),
    logger: silentLogger,
  },
  { signal },
);
await relay.open(JSON.parse(request), { signal });
process.stdout.write("open\n");
setInterval(() => undefined, 60_000);
