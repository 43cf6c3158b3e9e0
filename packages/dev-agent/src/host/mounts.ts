import { runTool, type Host } from "./host.ts";
import { readMountTable } from "./mount-table.ts";

/** A file system to mount, or a bind mount (`type` undefined, `options` with `bind`). */
export interface MountRequest {
  readonly type?: string;
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

export async function mount(request: MountRequest, host: Host, signal: AbortSignal): Promise<void> {
  const { type, source, target, options } = request;
  const args = [
    ...(type === undefined ? [] : ["-t", type]),
    ...(options.length === 0 ? [] : ["-o", options.join(",")]),
    source,
    target,
  ];
  await runTool(host, host.tools.mount, { args, signal });
}

/** Detaches whatever is mounted at `target`; nothing mounted there is fine. */
export async function unmount(target: string, host: Host, signal: AbortSignal): Promise<void> {
  if (await isMountPoint(target)) await runTool(host, host.tools.umount, { args: ["-l", target], signal });
}

/** Detaches everything at and below `directory`, newest first. */
export async function unmountBelow(directory: string, host: Host, signal: AbortSignal): Promise<void> {
  const table = await readMountTable();
  const targets = table
    .map((entry) => entry.mountPoint)
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
    .toReversed();
  for (const target of targets) await runTool(host, host.tools.umount, { args: ["-l", target], signal });
}

export async function isMountPoint(path: string): Promise<boolean> {
  const table = await readMountTable();
  return table.some((entry) => entry.mountPoint === path);
}
