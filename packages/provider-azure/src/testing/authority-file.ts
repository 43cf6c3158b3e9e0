import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const files = new Map<string, Promise<string>>();

/** The authority as a file, which is how an option names it. Written once; removed when the tests of the file are over. */
export async function authorityFile(pem: string): Promise<string> {
  const file = files.get(pem) ?? write(pem);
  files.set(pem, file);
  return await file;
}

async function write(pem: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "peerpods-azure-"));
  const path = join(directory, "ca.pem");
  await writeFile(path, pem);
  return path;
}

afterAll(async () => {
  for (const file of files.values()) await rm(join(await file, ".."), { recursive: true, force: true });
  files.clear();
});
