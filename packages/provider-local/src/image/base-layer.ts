import { access } from "node:fs/promises";
import { ProviderError } from "@peerpods/cloud-providers";
import { findProgram } from "../host/programs.ts";
import type { Run } from "../host/run.ts";
import { baseLinks, baseTexts, baseDirectories } from "./base-files.ts";
import type { LayerRecipe } from "./layer.ts";
import { findLibraries, libraryTarget } from "./libraries.ts";

/** A program of this machine that pod VMs get, and the Debian package that has it. */
export interface WantedProgram {
  /** Alternatives, best first. */
  readonly names: readonly string[];
  readonly package: string;
  /** What it is for, as the end of "needed to ...". */
  readonly purpose: string;
}

/** Programs of the guest beside busybox and Node. */
export const guestProgramsOfHost: readonly WantedProgram[] = [
  { names: ["ip"], package: "iproute2", purpose: "set up the network in pod VMs" },
  { names: ["tc"], package: "iproute2", purpose: "join the tunnel in pod VMs" },
  { names: ["nft"], package: "nftables", purpose: "set packet rules in pod VMs" },
  { names: ["crun", "runc"], package: "crun", purpose: "run containers in pod VMs" },
  { names: ["skopeo"], package: "skopeo", purpose: "pull container images in pod VMs" },
  { names: ["umoci"], package: "umoci", purpose: "unpack container images in pod VMs" },
  { names: ["mount"], package: "mount", purpose: "mount in pod VMs" },
  { names: ["umount"], package: "mount", purpose: "unmount in pod VMs" },
  { names: ["script"], package: "bsdutils", purpose: "give containers terminals in pod VMs" },
  { names: ["nsenter"], package: "util-linux", purpose: "enter namespaces in pod VMs" },
  { names: ["unshare"], package: "util-linux", purpose: "make namespaces" },
];

/** Programs that a pod VM gets when this machine has them. */
const welcomePrograms = ["runc"];

/** A static busybox: shell and tools of the VM before its root exists, and the pause container. */
export const wantedBusybox: WantedProgram = {
  names: ["busybox"],
  package: "busybox-static",
  purpose: "boot pod VMs",
};

const CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

/**
 * The recipe of the pod VM's root: busybox with all its names, the programs above with their libraries, Node (the
 * very binary that runs us), CA certificates and a few files in /etc. Nothing else of this machine gets in.
 * @throws ProviderError `invalid_config` that names every missing program and its package.
 */
export async function baseLayerRecipe(call: { run: Run; signal: AbortSignal }): Promise<LayerRecipe> {
  const { found, missing } = await findPrograms([wantedBusybox, ...guestProgramsOfHost]);
  if (missing.length > 0)
    throw new ProviderError("invalid_config", `cannot build the pod VM image: ${missingText(missing)}`);
  for (const name of welcomePrograms) {
    const path = await findProgram(name);
    if (path !== undefined) found.set(name, path);
  }
  const busybox = found.get("busybox") ?? "";
  const programs = new Map([...found, ["node", process.execPath]]);
  const libraries = await findLibraries([...programs.values()], call);
  const applets = (await call.run(busybox, ["--list"], { signal: call.signal })).split("\n").filter(Boolean);

  const files: Record<string, string> = {};
  for (const [name, path] of programs) files[`/usr/bin/${name}`] = path;
  for (const path of libraries) files[libraryTarget(path)] = path;
  if (await readable(CA_BUNDLE)) files[CA_BUNDLE] = CA_BUNDLE;

  const links: Record<string, string> = { ...baseLinks };
  for (const applet of applets) if (!programs.has(applet)) links[`/usr/bin/${applet}`] = "busybox";
  return { files, links, texts: baseTexts, directories: baseDirectories };
}

/** Which of the programs this machine has, by the first name of each that was found, and which it has not. */
export async function findPrograms(
  wanted: readonly WantedProgram[],
): Promise<{ found: Map<string, string>; missing: WantedProgram[] }> {
  const found = new Map<string, string>();
  const missing: WantedProgram[] = [];
  for (const program of wanted) {
    const hit = await firstFound(program.names);
    if (hit === undefined) missing.push(program);
    else found.set(hit.name, hit.path);
  }
  return { found, missing };
}

/**
 * Path of one program.
 * @throws ProviderError `invalid_config` that names it and its package.
 */
export async function requireProgram(wanted: WantedProgram): Promise<string> {
  const hit = await firstFound(wanted.names);
  if (hit === undefined) throw new ProviderError("invalid_config", missingText([wanted]));
  return hit.path;
}

/** `ip (package iproute2), skopeo (package skopeo); install them: apt-get install iproute2 skopeo`. */
export function missingText(missing: readonly WantedProgram[]): string {
  const names = missing.map((p) => `${p.names.join(" or ")} (package ${p.package})`).join(", ");
  const packages = [...new Set(missing.map((p) => p.package))].join(" ");
  return `this machine has no ${names}; install: apt-get install ${packages}`;
}

async function firstFound(names: readonly string[]): Promise<{ name: string; path: string } | undefined> {
  for (const name of names) {
    const path = await findProgram(name);
    if (path !== undefined) return { name, path };
  }
  return undefined;
}

async function readable(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
