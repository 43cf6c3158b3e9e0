import { constants } from "node:fs";
import { chmod, lchown, mkdir, open, readlink, realpath } from "node:fs/promises";
import { basename, dirname, join, normalize } from "node:path";
import { invalidArgument } from "../errors.ts";

/** An open directory that lies below the allowed one, and a name in it. */
export interface ConfinedPlace extends AsyncDisposable {
  /** Path of the name through the open directory: whoever swaps a parent for a link changes nothing any more. */
  readonly path: string;
  readonly name: string;
  /** The open directory itself. */
  readonly directory: string;
}

/** Owner and permissions of directories that have to be made. */
export interface NewDirectory {
  readonly permissions: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Opens the parent directory of `path`, making missing ones, and makes sure that it really lies in `root`: neither
 * `..` nor a link that a container has put there leads out.
 * @throws ConnectError INVALID_ARGUMENT when it does.
 */
export async function openConfined(
  path: string,
  root: string,
  missing: NewDirectory,
): Promise<ConfinedPlace> {
  if (!path.startsWith(`${root}/`) || normalize(path) !== path || path.endsWith("/") || path.includes("\0"))
    throw invalidArgument(`path ${JSON.stringify(path)} is not in ${root}`);
  const parent = dirname(path);
  await makeDirectories(parent, root, missing);
  const handle = await open(parent, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const directory = `/proc/self/fd/${handle.fd}`;
    const actual = await readlink(directory);
    if (!isInside(actual, await realpath(root)))
      throw invalidArgument(`path ${JSON.stringify(path)} leads out of ${root}, to ${actual}`);
    const name = basename(path);
    return {
      directory,
      name,
      path: join(directory, name),
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Makes what is missing one by one, each in a parent that was checked. */
async function makeDirectories(directory: string, root: string, missing: NewDirectory): Promise<void> {
  if (directory === root) {
    await mkdir(root, { recursive: true });
    return;
  }
  await makeDirectories(dirname(directory), root, missing);
  const parent = await realpath(dirname(directory));
  if (!isInside(parent, await realpath(root)))
    throw invalidArgument(`path ${JSON.stringify(directory)} leads out of ${root}, to ${parent}`);
  const path = join(parent, basename(directory));
  try {
    await mkdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw error;
  }
  await chmod(path, missing.permissions);
  await lchown(path, missing.uid, missing.gid);
}

function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}
