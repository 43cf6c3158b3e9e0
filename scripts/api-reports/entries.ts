import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { WorkspacePackage } from "../release/facts/workspace.ts";

/** An entry of a package that others can import, and the report of its surface. */
export interface Entry {
  readonly packageDir: string;
  /** Absolute path of the declarations. */
  readonly declarations: string;
  /** File name of the report in `etc/`, e.g. `cloud-providers.testing.api.md`. */
  readonly report: string;
}

/** The entries of a package that have declarations, as its `exports` name them. */
export async function entriesOf({ dir, shortName }: WorkspacePackage): Promise<readonly Entry[]> {
  const manifest = JSON.parse(await readFile(join(dir, "package.json"), "utf8")) as {
    readonly exports?: Readonly<Record<string, string | { readonly types?: string }>>;
  };
  return Object.entries(manifest.exports ?? {}).flatMap(([key, target]): readonly Entry[] => {
    const types = typeof target === "string" ? undefined : target.types;
    // What is generated from .proto files is compared there.
    if (types === undefined || types.includes("/gen/")) return [];
    const suffix = key.replace(/^\.\/?/, "").replaceAll("/", ".");
    return [
      {
        packageDir: dir,
        declarations: join(dir, types),
        report: `${[shortName, suffix].filter((part) => part !== "").join(".")}.api.md`,
      },
    ];
  });
}
