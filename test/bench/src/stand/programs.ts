import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { writeBundle } from "../../../../scripts/bundle/write-bundle.ts";

/** The repository. */
export const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** The programs as they are shipped: one bundled file each. */
export interface Programs {
  /** The relay lies beside it, where the daemon looks for it. */
  readonly daemon: string;
  readonly forwarder: string;
}

/** The providers that the daemon has as an npm package. */
const PROVIDERS = "libvirt,local";

/** Bundles the programs from the sources as they are now into `directory`, as `pnpm bundle` does. */
export async function bundlePrograms(directory: string): Promise<Programs> {
  const into = join(directory, "bundle");
  await writeBundle({ root, into, providers: PROVIDERS });
  return {
    daemon: join(into, "cloud-api-adaptor.mjs"),
    forwarder: join(into, "agent-protocol-forwarder.mjs"),
  };
}

/** Bundles the programs with one provider built in, as `PROVIDERS=<name> pnpm bundle` does; returns the daemon's. */
export async function bundleDaemonWith(provider: string, directory: string): Promise<string> {
  await writeBundle({ root, into: directory, providers: provider });
  return join(directory, "cloud-api-adaptor.mjs");
}

/** Bundles source files of one folder of the repository by its own script; returns where they are. */
export async function bundle(
  target: string,
  {
    folder,
    files,
  }: {
    readonly folder: string;
    readonly files: readonly string[];
  },
): Promise<string> {
  await mkdir(target, { recursive: true });
  const entries = files.map((file) => join(root, folder, file));
  await execa(process.execPath, [join(root, "scripts/bundle.ts"), ...entries], { cwd: target });
  return join(target, "bundle");
}
