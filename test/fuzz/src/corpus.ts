import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import type { Buffer } from "node:buffer";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../corpus/", import.meta.url));

/** Where a target's kept inputs are. */
export function corpusDirectory(target: string): string {
  return join(root, target);
}

/** The kept inputs of a target: some that reach every part of the code, and each that was a finding. */
export async function loadCorpus(target: string): Promise<readonly Buffer[]> {
  const directory = corpusDirectory(target);
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return await Promise.all(
    names.toSorted((a, b) => (a < b ? -1 : 1)).map((name) => readFile(join(directory, name))),
  );
}

/** Keeps an input under a name made of its content. Returns its path. */
export async function keepInput(
  target: string,
  { input, kind }: { readonly input: Buffer; readonly kind: "finding" | "reach" },
): Promise<string> {
  const directory = corpusDirectory(target);
  await mkdir(directory, { recursive: true });
  const path = join(directory, `${kind}-${createHash("sha256").update(input).digest("hex").slice(0, 12)}`);
  await writeFile(path, input);
  return path;
}
