import { access, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { execa } from "execa";
import type { ImageEntry } from "./files.ts";

const places = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Files of this machine that go into an image, and the Debian packages that they are from, as `name=version`. */
export interface DebianFiles {
  readonly entries: readonly ImageEntry[];
  readonly packages: readonly string[];
}

/**
 * Programs with the shared libraries that they are linked to, and other files, as they are installed here.
 * @throws Error naming a program that is not installed.
 */
export async function debianFiles({
  programs,
  libraries,
  files,
}: {
  readonly programs: readonly string[];
  /** Programs whose libraries are taken, but not they themselves. */
  readonly libraries: readonly string[];
  readonly files: readonly string[];
}): Promise<DebianFiles> {
  const found = await Promise.all(programs.map(find));
  const linked = await librariesOf([...found, ...libraries]);
  const paths = [...new Set([...found, ...linked, ...files])];
  const places = await Promise.all(
    paths.map(async (path) => join(await realpath(dirname(path)), basename(path))),
  );
  const unique = [...new Set(places)].toSorted();
  const entries = await Promise.all(unique.map(fileEntry));
  return { entries: withDirectories(entries), packages: await packagesOf(unique) };
}

async function find(name: string): Promise<string> {
  for (const place of places) {
    const path = join(place, name);
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  throw new Error(
    `the image needs ${name}, which is not installed here: apt-get install the package that has it`,
  );
}

async function librariesOf(programs: readonly string[]): Promise<readonly string[]> {
  // ldd ends with 1 when one of them is static or a script, and lists the others all the same.
  const { stdout } = await execa("ldd", [...programs], { reject: false });
  return [...stdout.matchAll(/(?:=>\s+|^\s+)(\/\S+) \(0x/gm)].map((match) => match[1] ?? "");
}

async function fileEntry(path: string): Promise<ImageEntry> {
  const isProgram = /\/(s?bin)\//.test(path) || path.includes("ld-linux");
  return { path: path.slice(1), mode: isProgram ? 0o755 : 0o644, content: await readFile(path) };
}

/** The directories that the files lie in, before them. */
function withDirectories(entries: readonly ImageEntry[]): readonly ImageEntry[] {
  const directories = new Set<string>();
  for (const { path } of entries)
    for (let at = dirname(path); at !== "."; at = dirname(at)) directories.add(at);
  return [
    ...[...directories].toSorted().map((path): ImageEntry => ({ path, mode: 0o755, directory: true })),
    ...entries,
  ];
}

async function packagesOf(paths: readonly string[]): Promise<readonly string[]> {
  // Packages know their files by the names from before /lib and /usr/lib became one.
  const both = paths.flatMap((path) => [path, path.replace(/^\/usr\/(lib|s?bin)/, "/$1")]);
  const { stdout } = await execa("dpkg-query", ["-S", ...both], { reject: false });
  // `libc6:amd64: /lib/...`; other lines tell of diversions.
  const owners = [...stdout.matchAll(/^([a-z0-9.+-]+)(?::\w+)?(?:, \S+)*: \//gm)];
  const names = [...new Set(owners.map((match) => match[1] ?? ""))];
  if (names.length === 0) return [];
  const versions = await execa("dpkg-query", ["-W", "-f", "${Package}=${Version}\n", ...names]);
  return versions.stdout.split("\n").toSorted();
}
