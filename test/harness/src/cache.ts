import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
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

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
