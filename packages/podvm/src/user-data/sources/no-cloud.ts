import { access, mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserDataError } from "../errors.ts";
import { readLimited } from "./read-limited.ts";
import type { SourceCall, UserDataSource } from "./source.ts";

/** Where udev shows volumes by label; the NoCloud convention allows both spellings. */
const devices = ["/dev/disk/by-label/cidata", "/dev/disk/by-label/CIDATA"];

/** How a volume is mounted and unmounted; tests give their own. */
export interface VolumeMounter {
  mount(device: string, directory: string, call: SourceCall): Promise<void>;
  unmount(directory: string): Promise<void>;
}

/** User data on a volume labelled `cidata`. It is mounted read-only out of sight, read, and unmounted. */
export function noCloudSource(
  options: { readonly devices?: readonly string[]; readonly mounter?: VolumeMounter } = {},
): UserDataSource {
  const { devices: candidates = devices, mounter = systemMounter } = options;
  return {
    name: "nocloud",
    async detect() {
      return (await firstExisting(candidates)) !== undefined;
    },
    async read(call) {
      const device = await firstExisting(candidates);
      if (device === undefined) throw new UserDataError("unavailable", "the volume labelled cidata has gone");
      return readFromVolume(device, mounter, call);
    },
  };
}

async function readFromVolume(device: string, mounter: VolumeMounter, call: SourceCall): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), "cidata-"));
  try {
    await mounter.mount(device, directory, call);
    try {
      return await readLimited(join(directory, "user-data"));
    } finally {
      await mounter.unmount(directory);
    }
  } catch (error) {
    call.signal.throwIfAborted();
    throw new UserDataError("unavailable", `cannot read user-data from the volume ${device}`, {
      cause: error,
    });
  } finally {
    await rmdir(directory);
  }
}

async function firstExisting(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) return path;
  }
  return undefined;
}

const systemMounter: VolumeMounter = {
  mount: (device, directory, { signal }) =>
    run("mount", ["-o", "ro,nodev,nosuid,noexec", device, directory], signal),
  unmount: (directory) => run("umount", [directory]),
};

async function run(program: string, args: readonly string[], cancelSignal?: AbortSignal): Promise<void> {
  // Loaded here because most machines have no such volume, and every pod waits for this program.
  const { execa } = await import("execa");
  await execa(program, args, { ...(cancelSignal && { cancelSignal }) });
}
