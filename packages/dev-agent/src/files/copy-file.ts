import { constants } from "node:fs";
import { chmod, lchown, mkdir, open, rename, rm, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { CopyFileRequest } from "@peerpods/kata-protocols/agent";
import { invalidArgument } from "../errors.ts";
import { openConfined, type ConfinedPlace } from "./confined-directory.ts";
import { permissionsOfGoMode } from "./go-file-mode.ts";

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, O_WRONLY, O_CREAT, O_NOFOLLOW } = constants;

/** Nothing that the shim copies comes near it; a mistaken `offset` must not make a file of any size. */
const MAX_FILE_BYTES = 1024n * 1024n * 1024n;

/**
 * Puts a file, a directory or a symbolic link where the shim wants it, below `root`.
 *
 * A file arrives in pieces. They gather in a hidden file beside the target, which takes the target's place, in one
 * step, when `file_size` bytes are there: a container that has the old file open or mounted keeps it. A link replaces
 * what was there in the same way; that is how ConfigMap volumes switch to a new version.
 *
 * @throws ConnectError INVALID_ARGUMENT for a path that leaves `root`, another kind of file, or sizes that do not fit.
 */
export async function copyFile(request: CopyFileRequest, root: string): Promise<void> {
  const { uid, gid } = request;
  const missing = { permissions: permissionsOfGoMode(request.dirMode), uid, gid };
  await using place = await openConfined(request.path, root, missing);
  // Each is awaited here, because the place is closed when this block is left.
  switch (request.fileMode & S_IFMT) {
    case S_IFDIR:
      return await putDirectory(place, request);
    case S_IFLNK:
      return await putLink(place, request);
    // The shim always sends the kind; without one the content is the best evidence there is.
    case 0:
    case S_IFREG:
      return await putPiece(place, request);
    default:
      throw invalidArgument(
        `cannot copy ${JSON.stringify(request.path)}: mode 0${request.fileMode.toString(8)} is neither file, directory nor link`,
      );
  }
}

async function putDirectory({ path }: ConfinedPlace, { fileMode, uid, gid }: CopyFileRequest): Promise<void> {
  await mkdir(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST" || !(await stat(path)).isDirectory()) throw error;
  });
  await lchown(path, uid, gid);
  await chmod(path, fileMode & 0o7777);
}

async function putLink(place: ConfinedPlace, { data, uid, gid }: CopyFileRequest): Promise<void> {
  const target = new TextDecoder("utf-8", { fatal: true }).decode(data);
  const unfinished = unfinishedPath(place);
  await rm(unfinished, { force: true });
  await symlink(target, unfinished);
  await lchown(unfinished, uid, gid);
  await rename(unfinished, place.path);
}

async function putPiece(place: ConfinedPlace, request: CopyFileRequest): Promise<void> {
  const { offset, fileSize, data, fileMode, uid, gid } = request;
  const end = offset + BigInt(data.length);
  if (offset < 0n || fileSize < 0n || end > fileSize || fileSize > MAX_FILE_BYTES)
    throw invalidArgument(
      `cannot copy ${JSON.stringify(request.path)}: bytes ${offset} to ${end} of a file of ${fileSize}`,
    );
  const unfinished = unfinishedPath(place);
  if (offset === 0n) await rm(unfinished, { force: true });
  await using file = await open(unfinished, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600);
  const { size } = await file.stat({ bigint: true });
  if (size !== offset)
    throw invalidArgument(
      `cannot copy ${JSON.stringify(request.path)}: a piece for offset ${offset} came after ${size} bytes`,
    );
  await file.write(data, 0, data.length, Number(offset));
  if (end < fileSize) return;
  await file.chown(uid, gid);
  await file.chmod(fileMode & 0o7777);
  await rename(unfinished, place.path);
}

function unfinishedPath({ directory, name }: ConfinedPlace): string {
  return join(directory, `.${name}.unfinished`);
}
