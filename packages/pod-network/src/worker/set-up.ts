import { readRoutes } from "../driver/answers.ts";
import type { IpRoute2 } from "../driver/iproute2.ts";
import { PodNetworkError, isPodNetworkError } from "../errors.ts";
import { failuresOf } from "../settle.ts";
import { addTunnelRules } from "../tunnel/notrack.ts";
import { undoTimeoutMs, undoneError } from "../undone.ts";
import { type WorkerTunnel, planLink, planRedirects, refuseOwnAddress, validateTunnel } from "./plan.ts";
import { removeWorkerTunnel } from "./remove.ts";

/**
 * Joins the pod's namespace to its VM: the VXLAN link first (the claim on the id), then redirects and rules side by
 * side. Three short processes.
 *
 * A failure or abort at any point undoes all that was done before the call rejects; what could not be undone is in
 * `errors`. Not repeatable: a tunnel that exists is `vni_in_use` or `exists`, and stays as it is. A remote that is an
 * address of this machine is `invalid_config`.
 * @throws PodNetworkError, or the signal's reason
 */
export async function setUpWorkerTunnel(
  tunnel: WorkerTunnel,
  driver: IpRoute2,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  validateTunnel(tunnel);
  signal.throwIfAborted();
  let route: unknown;
  try {
    [route = []] = await driver.ip(planLink(tunnel));
  } catch (error) {
    // A program that was killed may have done its work; one that reported a failure has not.
    throw isPodNetworkError(error, "timeout")
      ? await undone(error, tunnel, driver)
      : explained(error, tunnel);
  }
  try {
    refuseOwnAddress(tunnel, readRoutes(route));
  } catch (error) {
    throw await undone(error, tunnel, driver);
  }
  const failures = await failuresOf([
    driver.tc(planRedirects(tunnel), { netns: tunnel.netnsPath }),
    addTunnelRules(tunnel, driver),
  ]);
  if (failures.length > 0) throw await undone(failures[0], tunnel, driver);
  if (signal.aborted) throw await undone(signal.reason, tunnel, driver);
}

function explained(error: unknown, { vxlanId, netnsPath, remote }: WorkerTunnel): unknown {
  if (isPodNetworkError(error, "vni_in_use")) {
    const message = `VXLAN id ${vxlanId} is used by another tunnel of this node; end that tunnel or use another id`;
    return new PodNetworkError("vni_in_use", message, { cause: error });
  }
  if (isPodNetworkError(error, "no_namespace")) {
    const message = `the pod's network namespace ${netnsPath} does not exist; no tunnel to ${remote} was made`;
    return new PodNetworkError("no_namespace", message, { cause: error });
  }
  return error;
}

async function undone(error: unknown, tunnel: WorkerTunnel, driver: IpRoute2): Promise<unknown> {
  return undoneError(error, await removeWorkerTunnel(tunnel, driver, AbortSignal.timeout(undoTimeoutMs)));
}
