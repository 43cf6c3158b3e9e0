import process from "node:process";

/** glibc, which every dynamically linked program has loaded: by this name nothing is searched for on disk. */
const LIBRARY = "libc.so.6";
const FUNCTION = "malloc_trim";
/** How SQLite words it that an entry point answered something else than 0. */
const ANSWERED = "error during initialization";

/**
 * Gives the pages that are free inside glibc's heaps back to the system; returns whether it could, and false where there is
 * no glibc (musl) or no SQLite in Node. It takes some milliseconds, and nothing that is in use moves.
 *
 * glibc itself only ever shortens a heap at its end, where some small thing always lies, so that without this a process
 * keeps the memory of the most TLS connections it has had at once. Node offers no way to call `malloc_trim(3)`; SQLite, which is
 * in Node, calls any function of a library as the entry point of an extension. The three pointers it passes are taken for
 * the number of bytes to leave at the very end of the heap, which is the only part this does not return. Its answer 1
 * ("released something") is a failed initialization to SQLite. The first releases of Node 24 warn once on standard error that
 * SQLite is experimental.
 */
export function releaseFreeMemory(): boolean {
  const sqlite = process.getBuiltinModule("node:sqlite");
  if (sqlite === undefined) return false;
  using database = new sqlite.DatabaseSync(":memory:", { allowExtension: true });
  try {
    database.loadExtension(LIBRARY, FUNCTION);
    return true;
  } catch (error) {
    return error instanceof Error && error.message.startsWith(ANSWERED);
  }
}
