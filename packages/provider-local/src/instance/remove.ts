import { destroyVmCgroup } from "../cgroup/vm-cgroup.ts";
import { instancePaths, type LocalHost } from "../local-host.ts";
import { inspectBridge, removeLinks, type NetworkCall } from "../network/bridge.ts";
import { linkExists } from "../network/link.ts";
import { listLeases, releaseLease } from "../network/leases.ts";
import { removeNat } from "../network/nat.ts";
import type { InstanceNames } from "./identity.ts";
import { lockNetwork } from "./locks.ts";
import { removeDirectory } from "./record.ts";

/**
 * Removes every trace of an instance, however far its creation got: processes, and with the last of them its
 * namespaces and mounts; cgroups; the cable and, after the last instance, the bridge; the address; files.
 * The caller holds the instance's lock. Can be repeated.
 */
export async function removeTraces(
  local: LocalHost,
  names: InstanceNames,
  signal: AbortSignal,
): Promise<void> {
  await destroyVmCgroup(local.cgroups, names.cgroup, signal);
  await removeNetwork(local, names, signal);
  await removeDirectory(instancePaths(local.paths, names.id).directory);
}

async function removeNetwork(local: LocalHost, names: InstanceNames, signal: AbortSignal): Promise<void> {
  const leases = await listLeases(local.paths.leases);
  if (!leases.some((lease) => lease.owner === names.id) && !(await linkExists(names.port))) return;
  await using lock = await lockNetwork(local, signal);
  const call = { run: local.run, signal, inheritFd: lock.fd };
  // Else the link stays until the kernel gets around to cleaning up the VM's namespace.
  await removeLinks([names.port], call);
  const others = (await listLeases(local.paths.leases)).filter((lease) => lease.owner !== names.id);
  if (others.length === 0) await removeBridge(local, call);
  // Last: it is what tells a repeated deletion that something may be left.
  await releaseLease(local.paths.leases, names.id);
}

async function removeBridge(local: LocalHost, call: NetworkCall): Promise<void> {
  const { foreign, nat } = await inspectBridge(local.bridge);
  if (nat) await removeNat(local.bridge, call);
  if (!foreign) await removeLinks([local.bridge.name], call);
}
