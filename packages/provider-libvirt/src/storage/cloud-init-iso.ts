import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProviderError, type CallContext } from "@peerpods/cloud-providers";
import type { Run } from "../virsh/run.ts";

/** The NoCloud seed of one VM. */
export interface CloudInitSeed {
  readonly hostName: string;
  readonly userData: string;
}

/** Programs that write an ISO 9660 image, all with mkisofs' arguments, and the Debian package of each. */
const isoPrograms = [
  ["genisoimage", "genisoimage"],
  ["mkisofs", "genisoimage"],
  ["xorrisofs", "xorriso"],
] as const;

const TIMEOUT_MS = 60_000;

/** A file that is removed when it is disposed. */
export interface TemporaryFile extends AsyncDisposable {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Writes the ISO image with volume id `cidata` and the files `user-data`, `meta-data` and `vendor-data`, in a directory
 * of its own that only this user can read: it holds the VM's keys.
 * @throws ProviderError `invalid_config` when this machine has no program for it.
 */
export async function writeCloudInitIso(
  seed: CloudInitSeed,
  {
    run,
    env,
    directory,
  }: { readonly run: Run; readonly env: Readonly<Record<string, string>>; readonly directory: string },
  call: CallContext,
): Promise<TemporaryFile> {
  const own = await mkdtemp(join(directory, "cloudinit-"));
  const remove = () => rm(own, { recursive: true, force: true });
  try {
    const path = join(own, "seed.iso");
    const files = {
      "user-data": seed.userData,
      "meta-data": `local-hostname: ${seed.hostName}\n`,
      "vendor-data": "",
    };
    const paths: string[] = [];
    for (const [name, content] of Object.entries(files)) {
      const file = join(own, name);
      await writeFile(file, content, { mode: 0o600 });
      paths.push(file);
    }
    await makeIso(
      ["-quiet", "-volid", "cidata", "-joliet", "-rational-rock", "-output", path, ...paths],
      { run, env },
      call,
    );
    return { path, bytes: (await stat(path)).size, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The first of the programs that this machine has, or `undefined`. */
export async function findIsoProgram(
  { run, env }: { readonly run: Run; readonly env: Readonly<Record<string, string>> },
  { signal }: CallContext,
): Promise<string | undefined> {
  for (const [program] of isoPrograms) {
    const { failure } = await run(program, ["-version"], { signal, env, timeoutMs: TIMEOUT_MS });
    signal.throwIfAborted();
    if (failure?.kind !== "missing") return program;
  }
  return undefined;
}

async function makeIso(
  args: readonly string[],
  { run, env }: { readonly run: Run; readonly env: Readonly<Record<string, string>> },
  { signal }: CallContext,
): Promise<void> {
  for (const [program] of isoPrograms) {
    const { ok, failure, stderr } = await run(program, args, { signal, env, timeoutMs: TIMEOUT_MS });
    signal.throwIfAborted();
    if (ok) return;
    if (failure?.kind === "missing") continue;
    const why = stderr.trim() || failure?.message || "no message";
    throw new ProviderError(
      "internal",
      `${program} could not make the cloud-init image: ${why.slice(0, 500)}`,
    );
  }
  throw new ProviderError("invalid_config", `cannot make the cloud-init image: ${noIsoProgram}`);
}

/** What is missing, and the remedy. */
export const noIsoProgram = `this machine has none of ${isoPrograms.map(([name]) => name).join(", ")}; install the package genisoimage or xorriso`;
