import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LinuxNamespace } from "@peerpods/kata-protocols/oci";
import { failedPrecondition } from "../errors.ts";
import { runTool, type Host } from "../host/host.ts";

/** Namespaces that all containers of a pod share, by files that keep them alive. */
export interface SharedNamespaces {
  readonly ipc: string;
  readonly uts: string;
}

/**
 * Makes the pod's IPC and UTS namespaces and gives the latter its host name. The mounts of the VM must be private, as
 * the kernel does not let a namespace be mounted elsewhere.
 */
export async function createSharedNamespaces(
  options: { readonly directory: string; readonly hostname: string },
  host: Host,
  signal: AbortSignal,
): Promise<SharedNamespaces> {
  const { directory, hostname } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const [ipc, uts] = [join(directory, "ipc"), join(directory, "uts")];
  for (const file of [ipc, uts]) await writeFile(file, "");
  // Without a name to set, any program that ends well will do.
  const command = hostname === "" ? [host.tools.shell, "-c", ":"] : [...host.tools.hostname, hostname];
  await runTool(host, host.tools.unshare, { args: [`--ipc=${ipc}`, `--uts=${uts}`, ...command], signal });
  return { ipc, uts };
}

/**
 * Decides the namespaces of a container. The shim empties all paths and leaves network, cgroup, time and pid out; the
 * forwarder adds the network.
 *
 * @returns by type; an empty path makes a new one.
 * @throws ConnectError FAILED_PRECONDITION when the container is to share a process namespace that is not there.
 */
export function containerNamespaces(
  requested: readonly LinuxNamespace[],
  sandbox: {
    readonly shared: SharedNamespaces;
    readonly sharesPid: boolean;
    /** Init process of the pause container. */
    readonly pausePid: number | undefined;
  },
): Map<string, string> {
  const namespaces = new Map(requested.map(({ Type, Path }) => [Type, Path]));
  namespaces.set("ipc", sandbox.shared.ipc);
  namespaces.set("uts", sandbox.shared.uts);
  if (!namespaces.has("mount")) namespaces.set("mount", "");
  if (!sandbox.sharesPid) namespaces.set("pid", "");
  else if (sandbox.pausePid === undefined)
    throw failedPrecondition("the pod's process namespace is not there: its pause container does not run");
  else namespaces.set("pid", `/proc/${sandbox.pausePid}/ns/pid`);
  return namespaces;
}
