import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { packTar } from "modern-tar";
import type { ImageEntry } from "./files.ts";

/** A layer of an image: the same entries give the same bytes. */
export interface Layer {
  readonly blob: Buffer;
  /** Of the tar inside the blob. */
  readonly diffId: string;
}

/** The one time that all files of an image have, so that it does not depend on when it was built. */
const EPOCH = new Date(0);

export async function layerOf(entries: readonly ImageEntry[]): Promise<Layer> {
  const seen = new Set<string>();
  const unique = entries.filter(({ path }) => !seen.has(path) && seen.add(path));
  const tar = Buffer.from(await packTar(unique.map(tarEntry)));
  return { blob: gzipSync(tar, { level: 6 }), diffId: sha256(tar) };
}

export function sha256(data: Buffer): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

function tarEntry(entry: ImageEntry) {
  const common = { mtime: EPOCH, uid: 0, gid: 0 };
  if ("target" in entry) {
    return {
      header: {
        ...common,
        name: entry.path,
        type: "symlink" as const,
        linkname: entry.target,
        mode: 0o777,
        size: 0,
      },
    };
  }
  if ("directory" in entry) {
    const owner = entry.owner ?? 0;
    return {
      header: {
        ...common,
        name: `${entry.path}/`,
        type: "directory" as const,
        mode: entry.mode,
        size: 0,
        uid: owner,
        gid: owner,
      },
    };
  }
  return {
    header: {
      ...common,
      name: entry.path,
      type: "file" as const,
      mode: entry.mode,
      size: entry.content.length,
    },
    body: entry.content,
  };
}
