import { access, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { packageVersion as contractVersion } from "@peerpods/cloud-providers";
import { tsconfigs } from "./tsconfigs.ts";

const template = join(import.meta.dirname, "../template");

/** What a scaffolded package asks for where it stands alone. */
const versions = {
  CONTRACT: `^${contractVersion}`,
  NODE_TYPES: "^24.0.0",
  TYPESCRIPT: "^7.0.2",
  VITEST: "^5.0.0",
};
/** The same inside the repository of the contract, which has one version of each for all its packages. */
const inRepository = {
  CONTRACT: "workspace:^",
  NODE_TYPES: "catalog:",
  TYPESCRIPT: "catalog:",
  VITEST: "catalog:",
};

export interface ScaffoldRequest {
  /** Name of the provider: small letters, digits and dashes. */
  readonly name: string;
  /** Where the package goes. Must not exist, or be empty. */
  readonly dir: string;
}

/**
 * Writes a provider package that passes the conformance kit as it is, against a stand-in of its cloud that it brings along.
 * @returns the paths of the files, from `dir`
 * @throws Error for a name that no registry takes, and for a directory that is not empty; nothing is written then
 */
export async function scaffold({ name, dir }: ScaffoldRequest): Promise<readonly string[]> {
  if (!/^[a-z][a-z0-9-]{0,30}[a-z0-9]$/.test(name))
    throw new Error(
      `a provider is named by small letters, digits and dashes, 2 to 32 of them, not ${JSON.stringify(name)}`,
    );
  if ((await readdir(dir).catch(() => [])).length > 0)
    throw new Error(`${dir} is not empty: name another directory, or empty it`);
  const home = await isBesideContract(dir);
  const specs = home ? inRepository : versions;
  const files = new Map<string, string>(tsconfigs(home));
  for (const entry of await readdir(template, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // A manifest of that very name inside a package would be taken for one that counts.
    const written = path.slice(template.length + 1).replace(/\.template$/, "");
    files.set(written, renamed(await readFile(path, "utf8"), name));
  }
  for (const [path, text] of files) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    const filled =
      path === "package.json"
        ? Object.entries(specs).reduce((all, [key, value]) => all.replaceAll(key, value), text)
        : text;
    await writeFile(join(dir, path), filled);
  }
  return [...files.keys()].toSorted();
}

/** `acme` in all its forms. */
function renamed(text: string, name: string): string {
  const words = name.split("-");
  const title = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return text
    .replaceAll("ACME", words.join("_").toUpperCase())
    .replaceAll("Acme", title)
    .replaceAll("acme", name);
}

async function isBesideContract(dir: string): Promise<boolean> {
  return await access(join(dir, "../cloud-providers/src/contract.ts")).then(
    () => true,
    () => false,
  );
}
