import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { packTar } from "modern-tar";

/** One file of the archive. */
export interface BundleFile {
  /** Path inside, without a leading slash. */
  readonly name: string;
  readonly text: string;
}

/** A gzipped tar archive with all files below `root`, mode 0600. */
export async function archiveOf(
  files: readonly BundleFile[],
  { root, atMs }: { readonly root: string; readonly atMs: number },
): Promise<Uint8Array> {
  const entries = files.map(({ name, text }) => {
    const body = Buffer.from(text);
    return {
      header: {
        name: `${root}/${name}`,
        size: body.length,
        mode: 0o600,
        mtime: new Date(atMs),
        type: "file" as const,
      },
      body,
    };
  });
  return await promisify(gzip)(await packTar(entries));
}
