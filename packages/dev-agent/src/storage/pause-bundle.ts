import { chmod, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { internal } from "../errors.ts";
import type { StorageContext } from "./storage-context.ts";

/** What the pause container is made of. */
export interface PauseBundle {
  readonly rootfs: string;
  readonly args: readonly string[];
}

/**
 * The pause bundle of the VM: an OCI bundle whose root file system has the one program that config.json names. Where
 * a VM has none, one is made from busybox, which must be static. That one reaps, for pods whose containers share a
 * process namespace.
 */
export async function findPauseBundle(context: StorageContext): Promise<PauseBundle> {
  const given = context.pauseBundle;
  const config = await readFile(join(given, "config.json"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (config === undefined) return makePauseBundle(context);
  return { rootfs: join(given, "rootfs"), args: parseArgs(config, given) };
}

function parseArgs(config: string, bundle: string): readonly string[] {
  const { process } = JSON.parse(config) as { process?: { args?: unknown } };
  const args = process?.args;
  if (Array.isArray(args) && args.length > 0 && args.every((arg) => typeof arg === "string")) return args;
  throw internal(`${bundle}/config.json does not say which program to run: it has no process.args`);
}

const pauseScript = `#!/busybox sh
trap 'exit 0' TERM INT
while :; do
  /busybox sleep 2147483647 &
  wait $!
done
`;

async function makePauseBundle({ host, ownPauseBundle }: StorageContext): Promise<PauseBundle> {
  const { busybox } = host.tools;
  if (busybox === undefined)
    throw internal("Pause image not present in rootfs, and no busybox to make one from");
  const rootfs = join(ownPauseBundle, "rootfs");
  await mkdir(rootfs, { recursive: true });
  await copyFile(busybox, join(rootfs, "busybox"));
  await writeFile(join(rootfs, "pause"), pauseScript);
  for (const file of ["busybox", "pause"]) await chmod(join(rootfs, file), 0o755);
  return { rootfs, args: ["/pause"] };
}
