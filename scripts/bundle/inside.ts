import { readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Metafile } from "esbuild";

/** A package of which at least one byte is in a bundle. */
export interface PackageInside {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as its package.json says. */
  readonly license: string;
  /** Texts of its licence and notice files. */
  readonly texts: readonly string[];
  readonly dir: string;
}

/** The packages that a bundle holds, by name and version, from its part of esbuild's metafile. Paths count from `root`. */
export async function packagesInside(
  inputs: Metafile["outputs"][string]["inputs"],
  root: string,
): Promise<readonly PackageInside[]> {
  const dirs = new Set<string>();
  for (const [path, { bytesInOutput }] of Object.entries(inputs))
    if (bytesInOutput > 0 && !path.startsWith("<")) dirs.add(await packageDir(resolve(root, path)));
  const packages = await Promise.all([...dirs].map((dir) => describePackage(dir)));
  const key = ({ name, version }: PackageInside): string => `${name}@${version}`;
  return packages.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** The nearest folder above a file whose package.json has a name and a version; dual packages have some without. */
async function packageDir(file: string): Promise<string> {
  for (let dir = dirname(file); dir !== dirname(dir); dir = dirname(dir)) {
    const manifest = await readManifest(dir);
    if (manifest?.name !== undefined && manifest.version !== undefined) return dir;
  }
  throw new Error(`${file} belongs to no package`);
}

async function describePackage(dir: string): Promise<PackageInside> {
  const { name = "", version = "", license } = (await readManifest(dir)) ?? {};
  const files = (await readdir(dir)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).toSorted();
  return {
    name,
    version,
    license: typeof license === "string" ? license : (license?.type ?? "NOASSERTION"),
    texts: await Promise.all(files.map((file) => readFile(join(dir, file), "utf8"))),
    dir,
  };
}

async function readManifest(dir: string): Promise<
  | {
      readonly name?: string;
      readonly version?: string;
      readonly license?: string | { readonly type?: string };
    }
  | undefined
> {
  try {
    return JSON.parse(await readFile(join(dir, "package.json"), "utf8")) as object;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
