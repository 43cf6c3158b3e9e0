import { basename } from "node:path";
import type { Run } from "../host/run.ts";

/**
 * The shared libraries and loaders that programs need, as the dynamic loader finds them on this machine.
 * Static programs need none. Libraries opened later by name (plug-ins) are not among them.
 */
export async function findLibraries(
  programs: readonly string[],
  call: { run: Run; signal: AbortSignal },
): Promise<string[]> {
  // ldd ends with 1 when one of the programs is static, and lists the others all the same.
  const output = await call.run("ldd", programs, { signal: call.signal, alsoAccept: [1] });
  return parseLdd(output);
}

/**
 * Reads ldd's output: `\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x...)` and, for the loader, just a path.
 * @throws Error that names a library which is missing on this machine.
 */
export function parseLdd(output: string): string[] {
  const missing = /^\s+(\S+) => not found/m.exec(output);
  if (missing) throw new Error(`shared library ${missing[1]} is not installed on this machine`);
  const found = output.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)/gm);
  return [...new Set([...found].map((match) => match[1] ?? ""))].toSorted();
}

/** Where a library of this machine goes in the VM. /lib is /usr/lib in the VM. A library from an unusual place goes where every loader looks. */
export function libraryTarget(path: string): string {
  if (/^\/usr\/lib[^/]*\//.test(path)) return path;
  return /^\/lib[^/]*\//.test(path) ? `/usr${path}` : `/usr/lib/${basename(path)}`;
}
