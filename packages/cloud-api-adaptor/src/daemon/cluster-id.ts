import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing, writeFileAtomic } from "../sandbox/journal/atomic-file.ts";

const pattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * What marks cloud resources as belonging to this cluster: the setting, else an id that is made once and kept in the state
 * directory.
 * @throws Error when the setting or the stored id cannot be a tag.
 */
export async function clusterIdOf(setting: string, stateDir: string): Promise<string> {
  if (setting !== "") return checked(setting, "cluster-id");
  const path = join(stateDir, "cluster-id");
  const stored = await readIfAny(path);
  if (stored !== undefined) return checked(stored.trim(), path);
  const made = randomUUID();
  await writeFileAtomic(path, `${made}\n`);
  return made;
}

async function readIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function checked(id: string, source: string): string {
  if (pattern.test(id)) return id;
  throw new Error(
    `${source}: ${JSON.stringify(id.slice(0, 80))} cannot mark cloud resources; use up to 128 letters, digits, "." "_" "-"`,
  );
}
