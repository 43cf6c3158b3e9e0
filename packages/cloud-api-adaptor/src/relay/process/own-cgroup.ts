import { access, mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A hierarchy by which service managers end the processes of a unit: cgroup2, or systemd's own one of version 1. */
interface Hierarchy {
  readonly mountPoint: string;
  /** Where the process is now, from the root of the hierarchy. */
  readonly path: string;
}

export interface OwnCgroup extends AsyncDisposable {
  /** The cgroups entered, as directories; empty when the machine has no such hierarchy. */
  readonly directories: readonly string[];
}

export interface OwnCgroupOptions {
  /** Name of the cgroup, made at the root of each hierarchy. */
  readonly name: string;
  /** Default: this process. */
  readonly pid?: number;
  /** Default `/proc`. */
  readonly procPath?: string;
}

/**
 * Moves this process out of the cgroup of whoever started it, so that ending their unit does not end it. Disposing
 * moves it back and removes the cgroups.
 * @throws Error of the file system, with the path, when a hierarchy is there and cannot be written.
 */
export async function enterOwnCgroup(options: OwnCgroupOptions): Promise<OwnCgroup> {
  const { name, pid = process.pid, procPath = "/proc" } = options;
  const hierarchies = parseHierarchies(
    await readFile(join(procPath, "self", "mountinfo"), "utf8"),
    await readFile(join(procPath, String(pid), "cgroup"), "utf8"),
  );
  await using resources = new AsyncDisposableStack();
  const directories: string[] = [];
  for (const { mountPoint, path } of hierarchies) {
    const directory = join(mountPoint, name);
    await mkdir(directory, { recursive: true });
    resources.defer(() => leave({ directory, mountPoint, path }, pid));
    await writeFile(join(directory, "cgroup.procs"), String(pid));
    directories.push(directory);
  }
  const owned = resources.move();
  return { directories, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The hierarchies that matter, from the texts of `mountinfo` and `/proc/<pid>/cgroup`. */
export function parseHierarchies(mountInfo: string, cgroup: string): readonly Hierarchy[] {
  const paths = new Map(
    cgroup
      .split("\n")
      .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
      .filter((match) => match !== null)
      .map(([, controllers = "", path = "/"]) => [controllers, path] as const),
  );
  const found: Hierarchy[] = [];
  const lines = mountInfo.split("\n");
  for (const [index, line] of lines.entries()) {
    const [before = "", after = ""] = line.split(" - ", 2);
    const mountPoint = before.split(" ")[4];
    const [fsType, , superOptions = ""] = after.split(" ");
    const key =
      fsType === "cgroup2"
        ? ""
        : fsType === "cgroup" && superOptions.includes("name=systemd")
          ? "name=systemd"
          : undefined;
    const path = key === undefined ? undefined : paths.get(key);
    if (mountPoint === undefined || path === undefined || isHidden(mountPoint, lines.slice(index + 1)))
      continue;
    found.push({ mountPoint, path });
  }
  return found;
}

/** A mount on a directory above, made later, as in a namespace with a /sys of its own. */
function isHidden(mountPoint: string, later: readonly string[]): boolean {
  return later.some((line) => {
    const above = line.split(" ")[4];
    return above !== undefined && above !== "/" && `${mountPoint}/`.startsWith(`${above}/`);
  });
}

async function leave(
  { directory, mountPoint, path }: Hierarchy & { readonly directory: string },
  pid: number,
): Promise<void> {
  const origin = join(mountPoint, path);
  const isThere = await access(origin).then(
    () => true,
    () => false,
  );
  // The unit of whoever started it may be long gone; the root takes everyone.
  await writeFile(join(isThere ? origin : mountPoint, "cgroup.procs"), String(pid));
  // Another relay, of another socket, may still be in it.
  await rmdir(directory).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EBUSY")) throw error;
  });
}
