import type { IpRoute2 } from "../driver/iproute2.ts";
import { PodNetworkError } from "../errors.ts";
import { type WorkerTunnel, validateTunnel } from "./plan.ts";
import { removeWorkerTunnel } from "./remove.ts";

/**
 * Removes the worker's end of a tunnel: link, redirects, rules. Repeatable, also for a tunnel that was never set up,
 * only in part, or whose namespace is gone (its link went with it). A failure of one part does not spare the others.
 * @throws PodNetworkError `tear_down_incomplete` with what remains in `errors`; the call can be repeated
 */
export async function tearDownWorkerTunnel(
  tunnel: WorkerTunnel,
  driver: IpRoute2,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  validateTunnel(tunnel);
  const remains = await removeWorkerTunnel(tunnel, driver, signal);
  signal.throwIfAborted();
  if (remains.length === 0) return;
  throw new PodNetworkError(
    "tear_down_incomplete",
    `tunnel ${tunnel.vxlanId} could not be removed from this node: ${remains.map(String).join("; ")}`,
    { errors: remains },
  );
}
