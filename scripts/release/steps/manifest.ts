import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A package.json, as far as a release reads and writes it. */
export interface Manifest {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
  gitHead?: string;
}

/** Changes a package.json and keeps its form. */
export async function editManifest(dir: string, edit: (manifest: Manifest) => void): Promise<void> {
  const path = join(dir, "package.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as Manifest;
  edit(manifest);
  await writeFile(path, `${JSON.stringify(manifest, undefined, 2)}\n`);
}
