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
 */
export async function buildOnce(key: string, build: (directory: string) => Promise<void>): Promise<string> {
  const done = join(cacheDirectory(), key);
  if (await exists(done)) return done;
  await mkdir(cacheDirectory(), { recursive: true });
  await removeAbandoned(cacheDirectory());
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

/** A build that was killed leaves its directory; after a day nobody is building in it any more. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.includes(".making-")) continue;
    const { mtimeMs } = await stat(join(cache, name));
    if (Date.now() - mtimeMs > 86_400_000) await rm(join(cache, name), { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
