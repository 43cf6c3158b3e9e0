import { chmod, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { readWorkspace } from "../release/facts/workspace.ts";
import { buildPrograms, OUTPUT } from "./build-programs.ts";
import { packagesInside } from "./inside.ts";
import { licenceText } from "./licences.ts";
import { findPrograms } from "./programs.ts";
import { chooseProviders } from "./providers.ts";
import { sbomOf } from "./sbom.ts";

export interface BundleRequest {
  /** The repository. */
  readonly root: string;
  /** Where the files go; what is there is removed first. */
  readonly into: string;
  /** The setting PROVIDERS, e.g. `aws,libvirt`; all providers for none. */
  readonly providers: string | undefined;
}

/** A program that was bundled. */
export interface Bundled {
  readonly program: string;
  readonly file: string;
  readonly bytes: number;
  /** How many packages are in it. */
  readonly packages: number;
}

export interface BundleResult {
  readonly providers: readonly string[];
  readonly programs: readonly Bundled[];
}

/**
 * Writes each program as one file `<program>.mjs`, with `.mjs.map`, `.cdx.json` (what is inside) and `.licences.txt` beside. The
 * same commit and lockfile give the same bytes.
 * @throws Error for an unknown provider, with the known ones; nothing is removed or written then
 */
export async function writeBundle({ root, into, providers }: BundleRequest): Promise<BundleResult> {
  const packages = await readWorkspace(root);
  const chosen = chooseProviders(packages, providers);
  const programs = await findPrograms(packages);
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true });
  const { metafile, outputFiles } = await buildPrograms(programs, { root, providers: chosen });
  for (const { path, contents } of outputFiles) await writeFile(join(into, basename(path)), contents);
  const bundled = await Promise.all(
    programs.map(async ({ name, packageName }): Promise<Bundled> => {
      const file = join(into, `${name}.mjs`);
      await chmod(file, 0o755);
      const inputs = metafile.outputs[`${OUTPUT}/${name}.mjs`]?.inputs ?? {};
      const inside = await packagesInside(inputs, root);
      const version = packages.find((one) => one.name === packageName)?.version ?? "";
      await writeFile(join(into, `${name}.cdx.json`), sbomOf({ name, version }, inside));
      await writeFile(join(into, `${name}.licences.txt`), licenceText(inside));
      return { program: name, file, bytes: (await stat(file)).size, packages: inside.length };
    }),
  );
  return { providers: chosen.map(({ name }) => name), programs: bundled };
}
