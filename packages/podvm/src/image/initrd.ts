import { chmod, copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { ModuleFile } from "./modules.ts";
import type { Run } from "./run.ts";

/** Lays out what boots before any system: `/init`, the modules it loads, and a console for its first words. */
export async function writeBootFiles(
  tree: string,
  { init, modules, run }: { init: string; modules: readonly ModuleFile[]; run: Run },
): Promise<void> {
  for (const name of ["modules", "dev"]) await mkdir(join(tree, name), { recursive: true });
  await writeFile(join(tree, "init"), init);
  await chmod(join(tree, "init"), 0o755);
  await run("mknod", ["-m", "600", join(tree, "dev", "console"), "c", "5", "1"]);
  for (const [index, { name, path }] of modules.entries())
    await copyFile(path, join(tree, "modules", `${String(index).padStart(2, "0")}-${name}.ko`));
}

/** Packs a directory as an initrd, everything root's. Not compressed: where CPUs are emulated, unpacking costs more than reading. */
export async function packInitrd(tree: string, { file, run }: { file: string; run: Run }): Promise<void> {
  // As entries, since names alone would be followed through links to directories.
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const names = entries.map(({ parentPath, name }) => relative(tree, join(parentPath, name))).toSorted();
  const args = ["--create", "--format=newc", "--quiet", "--reproducible", "--owner=+0:+0", "-F", file];
  await run("cpio", args, { cwd: tree, input: `${names.join("\n")}\n` });
}
