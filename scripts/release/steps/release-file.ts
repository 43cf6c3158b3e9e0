import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "./manifest.ts";

/**
 * The `src/release.ts` of a package that tells its version: what the package.json says, for programs that may be bundled
 * and then have no package.json.
 */
export function releaseFile({ version, dependencies = {} }: Manifest): string {
  const pins = Object.entries(dependencies).filter(
    ([name, spec]) => name.startsWith("@peerpods/") && /^\d/.test(spec),
  );
  const text = [
    "// Written by the release from package.json.",
    "",
    "/** Version of this package. */",
    `export const packageVersion: string = ${JSON.stringify(version)};`,
  ];
  if (pins.length > 0)
    text.push(
      "",
      "/** The exact versions of siblings that this package was released with. */",
      "export const releasedWith: Readonly<Record<string, string>> = {",
      ...pins.map(([name, spec]) => `  ${JSON.stringify(name)}: ${JSON.stringify(spec)},`),
      "};",
    );
  return `${text.join("\n")}\n`;
}

/** Brings the release file of the package in `dir` up to date, if it has one. */
export async function writeReleaseFile(dir: string): Promise<void> {
  const path = join(dir, "src/release.ts");
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before === undefined) return;
  const manifest = JSON.parse(await readFile(join(dir, "package.json"), "utf8")) as Manifest;
  const after = releaseFile(manifest);
  if (after !== before) await writeFile(path, after);
}
