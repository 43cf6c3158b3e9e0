import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where what tests build once is kept: `$XDG_CACHE_HOME/peerpods`, else `~/.cache/peerpods`. Never in the tree. */
export function cacheDirectory(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "peerpods");
}

/**
 * Returns the directory `key` of the cache, and makes it with `build` when it is not there. `key` carries every version
 * that goes in. Builds happen beside it and are renamed in place, so a broken or a second build is never seen.
 * @param replaces beginning of keys of which a new build makes older ones useless: those of yesterday are removed.
 */
export async function buildOnce(
  key: string,
  build: (directory: string) => Promise<void>,
  { replaces }: { readonly replaces?: string } = {},
): Promise<string> {
  const done = join(cacheDirectory(), key);
  if (await exists(done)) return done;
  await mkdir(cacheDirectory(), { recursive: true });
  await removeOld(
    (name) => name.includes(".making-") || (replaces !== undefined && name.startsWith(replaces)),
  );
  const making = await mkdtemp(`${done}.making-`);
  try {
    await build(making);
    await rename(making, done);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    // Somebody else may have been quicker; theirs is as good.
    if (!(await exists(done))) throw error;
  }
  return done;
}

/** A build that was killed leaves its directory; after a day nobody is building in it, or using what was replaced. */
async function removeOld(isOld: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(cacheDirectory())) {
    if (!isOld(name)) continue;
    const path = join(cacheDirectory(), name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > 86_400_000) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
