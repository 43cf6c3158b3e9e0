import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { buildOnce } from "./cache.ts";

/** Why Go programs cannot be built here, or `undefined` when they can. Fits vitest's `skip` notes. */
export async function missingGo(): Promise<string | undefined> {
  const { exitCode } = await execa("go", ["version"], { reject: false });
  return exitCode === 0 ? undefined : "needs Go: install the Go toolchain (1.22 or later) to run this test";
}

/** Builds the Go program in `source` (a directory with a go.mod) once per content and returns the program's path. */
export async function buildGoProgram(source: string, name: string): Promise<string> {
  const hash = createHash("sha256");
  for (const file of (await readdir(source, { recursive: true })).sort())
    if (/\.go$|^go\.(mod|sum)$/.test(file)) hash.update(file).update(await readFile(join(source, file)));
  const directory = await buildOnce(`go-${name}-${hash.digest("hex").slice(0, 16)}`, async (target) => {
    await execa("go", ["build", "-trimpath", "-o", join(target, name), "."], { cwd: source });
  });
  return join(directory, name);
}
