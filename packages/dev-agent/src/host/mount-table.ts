import { readFile } from "node:fs/promises";

/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface MountEntry {
  readonly mountPoint: string;
  readonly fileSystem: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

/** Parses mountinfo, oldest mount first. */
export function parseMountTable(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split("\n")) {
    const [left, right] = line.split(" - ", 2);
    const mountPoint = left?.split(" ")[4];
    const [fileSystem, source, superOptions] = right?.split(" ") ?? [];
    if (mountPoint === undefined || fileSystem === undefined) continue;
    entries.push({
      mountPoint: unescapeOctal(mountPoint),
      fileSystem,
      source: unescapeOctal(source ?? ""),
      superOptions: superOptions?.split(",") ?? [],
    });
  }
  return entries;
}

/** The mounts of this process's namespace. */
export async function readMountTable(): Promise<MountEntry[]> {
  return parseMountTable(await readFile("/proc/self/mountinfo", "utf8"));
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
