import { mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { explain, SandboxError } from "../errors.ts";
import type { Journal, JournalContent, QuarantinedEntry } from "../ports.ts";
import type { SandboxRecord } from "../record.ts";
import {
  createDirectorySync,
  isMissing,
  removeFileDurably,
  syncDirectory,
  TEMPORARY_PREFIX,
  writeFileAtomic,
} from "./atomic-file.ts";
import { NewerEntryError, parseEntry, serializeEntry } from "./schema.ts";

/** Greatest journal entry that is read or written, in bytes. */
export const MAX_ENTRY_BYTES = 4 * 1024 * 1024;

const SUFFIX = ".json";
const MAX_COUNTER_BYTES = 256;
const counterSchema = z.object({ version: z.literal(1), nextIndex: z.int().nonnegative() });

/**
 * The journal as files: `<dir>/sandboxes/<sandbox id>.json`, `<dir>/next-index.json`, and what could not be read under
 * `<dir>/quarantine/`. Directories are 0700, files 0600. One daemon at a time may use a directory.
 */
export async function openFileJournal(dir: string): Promise<Journal> {
  const paths = {
    sandboxes: join(dir, "sandboxes"),
    quarantine: join(dir, "quarantine"),
    counter: join(dir, "next-index.json"),
  };
  await mkdir(paths.sandboxes, { recursive: true, mode: 0o700 });
  await mkdir(paths.quarantine, { recursive: true, mode: 0o700 });
  const sync = createDirectorySync(paths.sandboxes);
  const fileOf = (sandboxId: string) => join(paths.sandboxes, `${sandboxId}${SUFFIX}`);

  return {
    load: () => load(paths),
    write: (record) => {
      const path = fileOf(record.sandboxId);
      return wrapped("written", path, async () => {
        const entry = serializeEntry(record);
        const bytes = Buffer.byteLength(entry);
        if (bytes > MAX_ENTRY_BYTES)
          throw new Error(`it would have ${bytes} bytes; at most ${MAX_ENTRY_BYTES} are read`);
        await writeFileAtomic(path, entry, sync);
      });
    },
    remove: (sandboxId) =>
      wrapped("removed", fileOf(sandboxId), () => removeFileDurably(fileOf(sandboxId), sync)),
    loadNextIndex: () => loadNextIndex(paths.counter),
    saveNextIndex: (nextIndex) =>
      wrapped("written", paths.counter, () =>
        writeFileAtomic(paths.counter, `${JSON.stringify({ version: 1, nextIndex })}\n`),
      ),
  };
}

async function load(paths: { sandboxes: string; quarantine: string }): Promise<JournalContent> {
  const records: SandboxRecord[] = [];
  const quarantined = await quarantinedBefore(paths.quarantine);
  let moved = false;
  for (const name of await readdir(paths.sandboxes)) {
    const path = join(paths.sandboxes, name);
    if (name.startsWith(TEMPORARY_PREFIX)) {
      await unlink(path);
      continue;
    }
    const sandboxId = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : name;
    try {
      const record = parseEntry(await readLimited(path, MAX_ENTRY_BYTES));
      if (record.sandboxId !== sandboxId) throw new Error(`it is about sandbox ${record.sandboxId}`);
      records.push(record);
    } catch (error) {
      if (error instanceof NewerEntryError) {
        const message = `${path} was written by a later daemon: ${error.message}; start that one`;
        throw new SandboxError("journal", message, { cause: error });
      }
      const aside = join(paths.quarantine, `${name}.${Date.now()}`);
      await rename(path, aside);
      moved = true;
      quarantined.push({ sandboxId, path: aside, reason: explain(error) });
    }
  }
  if (moved) {
    await syncDirectory(paths.quarantine);
    await syncDirectory(paths.sandboxes);
  }
  return { records, quarantined };
}

/** What earlier daemons moved aside. It counts until a person removes the file: its pod may be alive. */
async function quarantinedBefore(directory: string): Promise<QuarantinedEntry[]> {
  return (await readdir(directory)).map((name) => ({
    sandboxId: name.replace(/\.json\.\d+$/, ""),
    path: join(directory, name),
    reason: "it was moved aside by an earlier daemon; remove the file once the pod is gone",
  }));
}

async function loadNextIndex(path: string): Promise<number> {
  let content: string;
  try {
    content = await readLimited(path, MAX_COUNTER_BYTES);
  } catch (error) {
    if (isMissing(error)) return 0;
    throw new SandboxError("journal", `${path} cannot be read`, { cause: error });
  }
  try {
    return counterSchema.parse(JSON.parse(content)).nextIndex;
  } catch (error) {
    // Guessing 0 here would hand out VNIs that live pods use.
    throw new SandboxError(
      "journal",
      `${path} is damaged; put a number there that no pod has used: {"version":1,"nextIndex":<number>}`,
      { cause: error },
    );
  }
}

async function readLimited(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw new Error(`it has ${size} bytes; at most ${maxBytes} are read`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

async function wrapped<T>(what: string, path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw new SandboxError("journal", `${path} cannot be ${what}`, { cause: error });
  }
}
