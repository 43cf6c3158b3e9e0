import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { bootScript } from "./boot-script.ts";
import type { ImageRecipe, PodVMImage } from "./image.ts";
import { initScript, leaseScript } from "./init-script.ts";
import { packInitrd, writeBootFiles } from "./initrd.ts";
import { kernelPackageOf, unpackKernel } from "./kernel.ts";
import { moduleFiles } from "./modules.ts";
import { findPrograms } from "./programs.ts";
import { writeRoot } from "./root.ts";
import { runUntil } from "./run.ts";

/**
 * The version that {@link buildPodVMImage} would build now: a hash over everything that goes in. Packages and programs of this
 * machine count by version, or by size and time; what is ours by its bytes.
 */
export async function podVMImageVersion(
  recipe: ImageRecipe,
  { signal }: { signal: AbortSignal },
): Promise<string> {
  const kernel = await kernelPackageOf(recipe.kernelPackage, runUntil(signal));
  const hash = createHash("sha256").update(JSON.stringify(kernel)).update(bootScript).update(initScript);
  hash.update(leaseScript).update(process.version);
  for (const path of (await findPrograms()).values()) {
    const { size, mtimeMs } = await stat(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  const guest = ["process-user-data.mjs", "agent-protocol-forwarder.mjs"].map((name) =>
    join(recipe.guestDirectory, name),
  );
  for (const path of [...guest, recipe.agent, ...(await filesBelow(recipe.images))])
    hash.update(path.slice(path.lastIndexOf("/"))).update(await readFile(path));
  return hash.digest("hex").slice(0, 16);
}

/**
 * Builds a pod VM image from Debian's kernel, programs of this machine and our guest programs, as `vmlinuz` and `initrd` in a
 * directory. Needs apt, cpio and root (for a device file).
 * @param directory is made if needed; the two files in it are replaced.
 * @throws ImageError that names what is missing and the remedy.
 */
export async function buildPodVMImage(
  recipe: ImageRecipe,
  { directory, signal }: { readonly directory: string; readonly signal: AbortSignal },
): Promise<PodVMImage> {
  const run = runUntil(signal);
  const version = await podVMImageVersion(recipe, { signal });
  const programs = await findPrograms();
  await mkdir(directory, { recursive: true });
  const scratch = await mkdtemp(join(directory, ".build-"));
  try {
    const { name } = await kernelPackageOf(recipe.kernelPackage, run);
    const kernel = await unpackKernel(name, { directory: join(scratch, "kernel"), run });
    const tree = join(scratch, "tree");
    await writeRoot(join(tree, "system"), { recipe, version, programs, run });
    await writeBootFiles(tree, { init: bootScript, modules: await moduleFiles(kernel.modules), run });
    const image = { kernel: join(directory, "vmlinuz"), initrd: join(directory, "initrd"), version };
    await packInitrd(tree, { file: image.initrd, run });
    await copyFile(kernel.file, image.kernel);
    return image;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function filesBelow(directory: string): Promise<readonly string[]> {
  if (directory === "") return [];
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
}
