import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { WorkspacePackage } from "../release/facts/workspace.ts";

/** A program of the workspace, as the `bin` of its package names it. */
export interface Program {
  readonly name: string;
  readonly packageName: string;
  /** Absolute path of its source. */
  readonly source: string;
}

/** All programs of the published packages: `./dist/main.js` and `./bundle/main.mjs` come from `src/main.ts`. */
export async function findPrograms(packages: readonly WorkspacePackage[]): Promise<readonly Program[]> {
  const found = await Promise.all(packages.map((one) => programsOf(one)));
  return found.flat().toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function programsOf({ dir, name: packageName }: WorkspacePackage): Promise<readonly Program[]> {
  const manifest = JSON.parse(await readFile(join(dir, "package.json"), "utf8")) as {
    readonly bin?: Readonly<Record<string, string>>;
  };
  return Object.entries(manifest.bin ?? {}).map(([name, file]) => ({
    name,
    packageName,
    source: join(dir, file.replace(/^\.\/(dist|bundle)\//, "src/").replace(/\.m?js$/, ".ts")),
  }));
}
