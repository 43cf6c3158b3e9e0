import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NewChangeset } from "@changesets/types";

/** Writes a change file as `changeset add` does; without a package in it, it goes. */
export async function writeChangeFile(root: string, { id, releases, summary }: NewChangeset): Promise<void> {
  const path = join(root, ".changeset", `${id}.md`);
  if (releases.length === 0) return await rm(path, { force: true });
  const head = releases.map(({ name, type }) => `"${name}": ${type}\n`).join("");
  return await writeFile(path, `---\n${head}---\n\n${summary.trim()}\n`);
}
