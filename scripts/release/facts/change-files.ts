import { readChangesets } from "@changesets/read";
import type { NewChangeset, VersionType } from "@changesets/types";

export type Bump = Exclude<VersionType, "none">;

/** What the change files say of one package. */
export interface PendingChange {
  /** Name of the file without `.md`. */
  readonly id: string;
  /** `none`: seen, and not worth a release. */
  readonly type: VersionType;
}

export type ChangeFiles = readonly NewChangeset[];

export async function readChangeFiles(root: string): Promise<ChangeFiles> {
  return (await readChangesets(root)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The changes of one package, in the order of their names. */
export function changesOf(files: ChangeFiles, packageName: string): readonly PendingChange[] {
  return files.flatMap(({ id, releases }) =>
    releases.filter(({ name }) => name === packageName).map(({ type }) => ({ id, type })),
  );
}

/** The largest step that the changes ask for; nothing when they ask for no release. */
export function largestBump(changes: readonly PendingChange[]): Bump | undefined {
  const asked = new Set(changes.map(({ type }) => type));
  return (["major", "minor", "patch"] as const).find((bump) => asked.has(bump));
}
