import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { git, type Place } from "../programs.ts";

/** A clone of its own, in which a release works: nothing of it is seen outside until it is pushed. */
export interface Scratch extends Place, AsyncDisposable {
  readonly branch: string;
  /** Goes to the newest commit of the branch at the remote. */
  toBranch(): Promise<void>;
  /** Goes to a commit. */
  toCommit(commit: string): Promise<void>;
}

/**
 * Clones the repository of `root` beside its objects and connects the clone to the same remote. What killed releases left
 * is removed first.
 */
export async function openScratch(
  root: Place,
  { remote, branch }: { readonly remote: string; readonly branch: string },
): Promise<Scratch> {
  const home = resolve(root.dir, await git(root, "rev-parse", "--git-common-dir"), "peerpods-release");
  await removeAbandoned(home);
  const dir = join(home, String(process.pid));
  await rm(dir, { recursive: true, force: true });
  const address = await git(root, "remote", "get-url", remote);
  await git(root, "clone", "--quiet", "--no-checkout", "--no-tags", root.dir, dir);
  const place = { dir, signal: root.signal };
  await git(place, "remote", "set-url", "origin", resolveAddress(root.dir, address));
  return {
    ...place,
    branch,
    async toBranch() {
      await git(
        place,
        "fetch",
        "--quiet",
        "--prune",
        "--prune-tags",
        "--force",
        "--tags",
        "origin",
        `+refs/heads/*:refs/remotes/origin/*`,
      );
      await git(place, "checkout", "--quiet", "--force", "--detach", `refs/remotes/origin/${branch}`);
      await git(place, "clean", "--quiet", "--force", "-d");
    },
    async toCommit(commit) {
      await git(place, "checkout", "--quiet", "--force", "--detach", commit);
      await git(place, "clean", "--quiet", "--force", "-d");
    },
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A remote may be a path that counts from the repository. */
function resolveAddress(root: string, address: string): string {
  return address.startsWith(".") ? resolve(root, address) : address;
}

async function removeAbandoned(home: string): Promise<void> {
  await mkdir(home, { recursive: true });
  for (const name of await readdir(home))
    if (!isAlive(Number(name))) await rm(join(home, name), { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
