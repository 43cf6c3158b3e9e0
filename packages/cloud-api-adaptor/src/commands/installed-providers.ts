import { readdir } from "node:fs/promises";
import { join } from "node:path";

const prefix = "provider-";

/**
 * Names of the provider packages that are installed where this program looks for them.
 * @param roots `node_modules` directories, nearest first; those that are not there count as empty.
 */
export async function installedProviders(roots: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    roots.map((root) => readdir(join(root, "@peerpods")).catch((): readonly string[] => [])),
  );
  const names = found.flat().filter((name) => name.startsWith(prefix));
  return [...new Set(names.map((name) => name.slice(prefix.length)))].toSorted();
}
