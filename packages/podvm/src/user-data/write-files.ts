import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { guestPaths } from "@peerpods/podvm-contract";
import { UserDataError } from "./errors.ts";

/** Private keys and registry credentials. Whoever needs them in the VM is root. */
const secretPaths: readonly string[] = [
  guestPaths.apfConfig,
  guestPaths.registryAuth,
  guestPaths.confidentialDataHubConfig,
];

/** The appearance of this file starts the attestation agent, so everything else is there first. */
const lastPath: string = guestPaths.attestationAgentConfig;

/**
 * Puts files in place below `root`, all or none: each is written beside its place first, and only when all are complete
 * they are renamed. Files with secrets get mode 0600, others 0644, new directories 0755. Can be repeated.
 * @throws UserDataError `write_failed`; what was written beside is removed.
 */
export async function writeGuestFiles(files: ReadonlyMap<string, string>, root: string): Promise<void> {
  const written: { readonly temporary: string; readonly path: string }[] = [];
  try {
    for (const [path, content] of [...files].sort(
      ([a], [b]) => Number(a === lastPath) - Number(b === lastPath),
    )) {
      const target = join(root, path);
      const temporary = `${target}.new-${process.pid}`;
      await mkdir(dirname(target), { recursive: true, mode: 0o755 });
      written.push({ temporary, path: target });
      await writeWhole(temporary, content, secretPaths.includes(path) ? 0o600 : 0o644);
    }
    for (const { temporary, path } of written) await rename(temporary, path);
  } catch (error) {
    for (const { temporary } of written) await rm(temporary, { force: true });
    throw new UserDataError("write_failed", "cannot write the guest's files", { cause: error });
  }
}

async function writeWhole(path: string, content: string, mode: number): Promise<void> {
  await rm(path, { force: true });
  await using file = await open(path, "wx", mode);
  // The process's umask must not decide who can read them.
  await file.chmod(mode);
  await file.writeFile(content);
  await file.sync();
}
