import { createIpRoute2, tearDownWorkerTunnel } from "@peerpods/pod-network";
import { openFileJournal } from "../../sandbox/journal/file-journal.ts";
import { causeLine } from "../command-error.ts";

const LIMIT_MS = 60_000;

/**
 * Takes the tunnels down that the journal of a daemon still tells of, and says so in a line each: a daemon that was
 * killed leaves them on this node, where no cloud knows of them. Only for a journal that no daemon uses any more.
 */
export async function removeLeftTunnels(journalDirectory: string): Promise<readonly string[]> {
  const { records } = await (await openFileJournal(journalDirectory)).load();
  const driver = createIpRoute2();
  return await Promise.all(
    records
      .flatMap(({ tunnel }) => (tunnel === undefined ? [] : [tunnel]))
      .map(async (tunnel) => {
        const what = `tunnel ${tunnel.vxlanId} to ${tunnel.remote} was left on this node`;
        return await tearDownWorkerTunnel(tunnel, driver, { signal: AbortSignal.timeout(LIMIT_MS) }).then(
          () => `${what}, removed now`,
          (error: unknown) => `${what} and stayed: ${causeLine(error)}`,
        );
      }),
  );
}
