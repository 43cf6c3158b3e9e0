import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";

/** A directory tree that pod VMs have below their own writable one. Paths are absolute, as seen in the VM. */
export interface LayerRecipe {
  /** Copies: target -> file on this machine. Links are followed, modes kept. */
  readonly files: Readonly<Record<string, string>>;
  /** Texts: target -> content and mode. */
  readonly texts: Readonly<Record<string, { readonly content: string; readonly mode: number }>>;
  /** Symbolic links: target -> what it points to. */
  readonly links: Readonly<Record<string, string>>;
  readonly directories: readonly string[];
}

/** A text of these lines that everybody may read. */
export function file(...lines: readonly string[]): { content: string; mode: number } {
  return { content: `${lines.join("\n")}\n`, mode: 0o644 };
}

/** Raised when the way a recipe becomes a tree changes. */
const FORMAT = 1;

/**
 * Returns the tree for a recipe from the cache, or builds it there. Its name is a hash of all that went in: file
 * identities (path, size, time of change), texts and links. A tree appears under its name at once and complete
 * (rename); of two builds at the same time one wins, and the loser uses the winner's.
 */
export async function ensureLayer(
  cacheDirectory: string,
  recipe: LayerRecipe,
  signal: AbortSignal,
): Promise<string> {
  const key = await layerKey(recipe);
  const tree = join(cacheDirectory, key);
  if (await exists(tree)) return tree;
  await mkdir(cacheDirectory, { recursive: true, mode: 0o700 });
  await removeAbandoned(cacheDirectory);
  const building = join(cacheDirectory, `${BUILDING}${process.pid}-${randomUUID()}`);
  try {
    await buildTree(building, recipe, signal);
    if ((await layerKey(recipe)) !== key) throw new Error("a program changed while it was copied; try again");
    await rename(building, tree);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    if (!(await exists(tree))) throw error;
  }
  return tree;
}

const BUILDING = "building-";

async function layerKey(recipe: LayerRecipe): Promise<string> {
  const files = await Promise.all(
    Object.entries(recipe.files).map(async ([target, source]) => {
      const { size, mtimeNs, mode } = await stat(source, { bigint: true });
      return [target, source, String(size), String(mtimeNs), String(mode)];
    }),
  );
  const { texts, links, directories } = recipe;
  const text = JSON.stringify([FORMAT, files, texts, links, directories]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

async function buildTree(root: string, recipe: LayerRecipe, signal: AbortSignal): Promise<void> {
  await mkdir(root);
  const at = async (target: string) => {
    signal.throwIfAborted();
    const path = join(root, target);
    await mkdir(dirname(path), { recursive: true });
    return path;
  };
  for (const [target, to] of Object.entries(recipe.links)) await symlink(to, await at(target));
  for (const directory of recipe.directories) await mkdir(await at(directory), { recursive: true });
  for (const [target, { content, mode }] of Object.entries(recipe.texts)) {
    const path = await at(target);
    await writeFile(path, content);
    await chmod(path, mode);
  }
  for (const [target, source] of Object.entries(recipe.files))
    await copyFile(source, await at(target), constants.COPYFILE_FICLONE);
  await openDirectories(root);
}

/** Whatever our own umask: everybody in the VM may pass. The cache directory above keeps this machine's users out. */
async function openDirectories(root: string): Promise<void> {
  await chmod(root, 0o755);
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true }))
    if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o755);
}

/** Trees of builders that were killed. */
async function removeAbandoned(cacheDirectory: string): Promise<void> {
  for (const name of await readdir(cacheDirectory)) {
    if (!name.startsWith(BUILDING)) continue;
    const pid = Number.parseInt(name.slice(BUILDING.length), 10);
    if (!(await exists(`/proc/${pid}`)))
      await rm(join(cacheDirectory, name), { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}
