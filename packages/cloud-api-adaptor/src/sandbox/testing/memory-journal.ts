import { parseEntry, serializeEntry } from "../journal/schema.ts";
import type { Journal, JournalContent } from "../ports.ts";
import type { SandboxRecord } from "../record.ts";

/** A journal without a disk. Entries go through the real format, so nothing is remembered that a file would forget. */
export class MemoryJournal implements Journal {
  readonly entries = new Map<string, string>();
  nextIndex = 0;
  /** Called before each write; what it throws is the write's failure. */
  before: (record: SandboxRecord) => Promise<void> = async () => undefined;

  async load(): Promise<JournalContent> {
    return { records: [...this.entries.values()].map(parseEntry), quarantined: [] };
  }

  async write(record: SandboxRecord): Promise<void> {
    await this.before(record);
    this.entries.set(record.sandboxId, serializeEntry(record));
  }

  async remove(sandboxId: string): Promise<void> {
    this.entries.delete(sandboxId);
  }

  async loadNextIndex(): Promise<number> {
    return this.nextIndex;
  }

  async saveNextIndex(index: number): Promise<void> {
    this.nextIndex = index;
  }
}
