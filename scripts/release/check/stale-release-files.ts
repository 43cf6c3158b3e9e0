import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Facts } from "../facts/facts.ts";
import type { Manifest } from "../steps/manifest.ts";
import { releaseFile } from "../steps/release-file.ts";

/** Release files that say something else than their package.json. */
export async function staleReleaseFiles({ packages }: Facts): Promise<readonly string[]> {
  const found = await Promise.all(
    packages.map(async ({ name, dir }) => {
      const file = await readFile(join(dir, "src/release.ts"), "utf8").catch(() => undefined);
      const manifest = JSON.parse(await readFile(join(dir, "package.json"), "utf8")) as Manifest;
      if (file === undefined || file === releaseFile(manifest)) return [];
      return [
        `${name}: src/release.ts is not what its package.json says: node scripts/release/write-release-files.ts`,
      ];
    }),
  );
  return found.flat();
}
