import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { ProviderError } from "@peerpods/cloud-providers";
import { bootScript } from "../boot/boot-script.ts";
import { initScript } from "../boot/init-script.ts";
import type { Run } from "../host/run.ts";
import { requireProgram, wantedBusybox } from "./base-layer.ts";
import { kataAgentTexts, pauseProgram } from "./kata-agent-files.ts";
import type { LayerRecipe } from "./layer.ts";
import { findLibraries, libraryTarget } from "./libraries.ts";

/** Which programs run in the VM and where they come from. */
export interface GuestOptions {
  /** Directory with the built guest programs; empty: those of the installed packages. */
  readonly guestDirectory: string;
  /** Path of a real kata-agent; empty: the development agent. */
  readonly kataAgent: string;
}

const IN_VM = "/usr/lib/peerpods";

/** Where the boot script is in the guest layer. */
export const bootFileInLayer = `${IN_VM}/boot`;

const programs = {
  "process-user-data.mjs": "@peerpods/podvm/guest/process-user-data.mjs",
  "agent-protocol-forwarder.mjs": "@peerpods/podvm/guest/agent-protocol-forwarder.mjs",
  "dev-agent.mjs": "@peerpods/dev-agent/guest/dev-agent.mjs",
  "image-pull-stand-in.mjs": "@peerpods/dev-agent/guest/image-pull-stand-in.mjs",
};
type ProgramName = keyof typeof programs;

/**
 * The recipe of the layer above the base: boot scripts, guest programs, and a real agent if wanted.
 * @throws ProviderError `invalid_config` that names each missing program and the remedy.
 */
export async function guestLayerRecipe(
  options: GuestOptions,
  call: { run: Run; signal: AbortSignal },
): Promise<LayerRecipe> {
  const files: Record<string, string> = {};
  for (const [name, path] of await findGuestPrograms(options)) files[join(IN_VM, name)] = path;
  if (options.kataAgent !== "") Object.assign(files, await kataAgentFiles(options.kataAgent, call));
  const texts = {
    ...(options.kataAgent === "" ? {} : kataAgentTexts),
    [bootFileInLayer]: { content: bootScript, mode: 0o755 },
    [join(IN_VM, "init")]: { content: initScript, mode: 0o755 },
  };
  return { files, texts, links: {}, directories: [] };
}

async function kataAgentFiles(
  kataAgent: string,
  call: { run: Run; signal: AbortSignal },
): Promise<Record<string, string>> {
  const libraries = await findLibraries([kataAgent], call);
  return {
    "/usr/bin/kata-agent": kataAgent,
    [pauseProgram]: await requireProgram(wantedBusybox),
    ...Object.fromEntries(libraries.map((library) => [libraryTarget(library), library])),
  };
}

/**
 * Paths of the built guest programs by file name.
 * @throws ProviderError `invalid_config` that names each missing program and the remedy.
 */
export async function findGuestPrograms(options: GuestOptions): Promise<Map<ProgramName, string>> {
  const names: ProgramName[] = [
    "process-user-data.mjs",
    "agent-protocol-forwarder.mjs",
    options.kataAgent === "" ? "dev-agent.mjs" : "image-pull-stand-in.mjs",
  ];
  const found = new Map<ProgramName, string>();
  const missing: string[] = [];
  for (const name of names) {
    const path = options.guestDirectory === "" ? await installed(name) : join(options.guestDirectory, name);
    if (path !== undefined && (await isReadable(path))) found.set(name, path);
    else missing.push(path ?? programs[name]);
  }
  if (options.kataAgent !== "" && !(await isReadable(options.kataAgent))) missing.push(options.kataAgent);
  if (missing.length === 0) return found;
  throw new ProviderError(
    "invalid_config",
    `guest programs are missing: ${missing.join(", ")}; build them with \`pnpm build\`, ` +
      "or name a directory that has them with local-guest-dir (LOCAL_GUEST_DIR)",
  );
}

/** The file beside the running bundle, else that of an installed package. */
async function installed(name: ProgramName): Promise<string | undefined> {
  const beside = join(import.meta.dirname, name);
  if (await isReadable(beside)) return beside;
  try {
    return createRequire(import.meta.url).resolve(programs[name]);
  } catch {
    return undefined;
  }
}

async function isReadable(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
