import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Host } from "../host/host.ts";
import { mount, unmountBelow } from "../host/mounts.ts";

/** Directories of a sandbox. */
export interface SandboxDirectories {
  /** What requests name; see paths.ts. */
  readonly kata: string;
  readonly shared: string;
  /** The agent's own state. */
  readonly state: string;
  /** The VM's resolver configuration. */
  readonly resolvConf: string;
}

/**
 * Removes everything of an earlier sandbox and makes the directories anew, as the real agent does. An agent socket in
 * there loses its name with it: who talks to the agent must already be connected.
 */
export async function renewDirectories(
  directories: SandboxDirectories,
  host: Host,
  signal: AbortSignal,
): Promise<void> {
  await removeDirectories(directories, host, signal);
  await mkdir(directories.shared, { recursive: true });
  await mkdir(directories.state, { recursive: true, mode: 0o700 });
}

/** Unmounts and removes everything of a sandbox. Can be repeated. */
export async function removeDirectories(
  { kata, state }: SandboxDirectories,
  host: Host,
  signal: AbortSignal,
): Promise<void> {
  for (const directory of [kata, state]) {
    await unmountBelow(directory, host, signal);
    await rm(directory, { recursive: true, force: true });
  }
}

/** Gives the VM the pod's name servers, where the request has any; the forwarder takes them out. */
export async function applyDns(
  dns: readonly string[],
  directories: SandboxDirectories,
  call: { readonly host: Host; readonly signal: AbortSignal },
): Promise<void> {
  if (dns.every((line) => line === "")) return;
  const file = join(directories.kata, "sandbox", "resolv.conf");
  await mkdir(join(directories.kata, "sandbox"), { recursive: true });
  await writeFile(file, `${dns.join("\n").trimEnd()}\n`);
  await writeFile(directories.resolvConf, "", { flag: "a" });
  await mount({ source: file, target: directories.resolvConf, options: ["bind"] }, call.host, call.signal);
}
