import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../../sandbox/journal/atomic-file.ts";
import { causeLine } from "../command-error.ts";
import { toJson } from "../output.ts";
import type { BundleFile } from "./archive.ts";

/** End of each text that goes into the bundle, in characters. */
export const MAX_TEXT = 2 * 1024 * 1024;
const MAX_FILES = 600;

/** Collects files, redacted. What cannot be had is noted and holds up nothing else. */
export class Gathering {
  readonly files: BundleFile[] = [];
  readonly problems: { readonly name: string; readonly problem: string }[] = [];
  readonly #redact: (text: string) => string;
  readonly #signal: AbortSignal;

  constructor(redact: (text: string) => string, signal: AbortSignal) {
    this.#redact = redact;
    this.#signal = signal;
  }

  /** Adds what `read` returns: a text, or a value as JSON. `undefined`: there is none. */
  async add(name: string, read: () => unknown): Promise<void> {
    this.#signal.throwIfAborted();
    try {
      const value: unknown = await read();
      if (value === undefined) return;
      const text = typeof value === "string" ? value : `${toJson(value)}\n`;
      this.files.push({ name, text: this.#redact(text).slice(-MAX_TEXT) });
    } catch (error) {
      this.#signal.throwIfAborted();
      this.problems.push({ name, problem: this.#redact(causeLine(error)) });
    }
  }

  /** Adds each file of a directory (not those below it) under `name/`, its text changed by `edit`. */
  async addDirectory(name: string, path: string, edit: (text: string) => string): Promise<void> {
    const names = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
      if (!isMissing(error)) this.problems.push({ name, problem: causeLine(error) });
      return [];
    });
    const files = names.filter((entry) => entry.isFile());
    for (const file of files.slice(0, MAX_FILES))
      await this.add(`${name}/${file.name}`, async () => {
        const text = await endOf(join(path, file.name));
        return text === undefined ? undefined : edit(text);
      });
    if (files.length > MAX_FILES)
      this.problems.push({ name, problem: `${files.length} files; only ${MAX_FILES} were taken` });
  }
}

/** The end of a file; `undefined` when there is none. */
export async function endOf(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const length = Math.min(size, MAX_TEXT);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString("utf8", 0, bytesRead);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
