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

/** Bundles the programs from the sources as they are now, into `directory`. */
export async function bundlePrograms(directory: string): Promise<Programs> {
  const adaptor = await bundle(join(directory, "cloud-api-adaptor"), daemonSource);
  const podvm = await bundle(join(directory, "podvm"), {
    folder: "packages/podvm/src",
    files: ["agent-protocol-forwarder.ts"],
  });
  return {
    daemon: join(adaptor, "main.mjs"),
    forwarder: join(podvm, "agent-protocol-forwarder.mjs"),
  };
}

/** Bundles the programs with one provider built in, as `PROVIDERS=<name> pnpm bundle` does; returns the daemon's. */
export async function bundleDaemonWith(provider: string, directory: string): Promise<string> {
  await writeBundle({ root, into: directory, providers: provider });
  return join(directory, "cloud-api-adaptor.mjs");
}

const daemonSource = { folder: "packages/cloud-api-adaptor/src", files: ["main.ts", "agent-relay.ts"] };

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
