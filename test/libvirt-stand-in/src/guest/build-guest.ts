import { createHash } from "node:crypto";
import { chmod, copyFile, cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { buildOnce } from "@peerpods/test-harness";
import { execa } from "execa";
import { guestInit, guestModules, guestReport } from "./init-script.ts";

/** Files of a guest that boots without a disk, for the provider's options `kernel` and `initrd`. */
export interface Guest {
  readonly kernel: string;
  /** Only asks for an address: 3 s with emulation, 64 MiB of memory are enough. */
  readonly smallInitrd: string;
  /** Has Node and the guest program that reads user data, and serves port 15150. Needs 768 MiB. */
  readonly nodeInitrd: string;
}

const PACKAGE = "linux-image-cloud-amd64";

/**
 * Builds it once for each version of kernel, Node and guest programs. Needs root's apt for Debian's cloud kernel.
 * @param processUserData path of the built guest program.
 * @throws Error that names what is missing.
 */
export async function buildGuest(processUserData: string): Promise<Guest> {
  const kernelPackage = await newestKernel();
  const hash = createHash("sha256").update(guestInit).update(guestReport).update(process.version);
  hash.update(await readFile(processUserData));
  const key = `libvirt-guest-${kernelPackage.replace(/^linux-image-/, "")}-${hash.digest("hex").slice(0, 16)}`;
  const directory = await buildOnce(key, async (target) => {
    const unpacked = join(target, "unpacked");
    await unpackKernel(kernelPackage, unpacked);
    await copyFile(await findFile(join(unpacked, "boot"), /^vmlinuz-/), join(target, "vmlinuz"));
    const tree = join(target, "tree");
    await makeSmallTree(tree, unpacked);
    await pack(tree, join(target, "small.cpio"));
    await addNode(tree, processUserData);
    await pack(tree, join(target, "node.cpio"));
    for (const scratch of [unpacked, tree]) await rm(scratch, { recursive: true });
  });
  return {
    kernel: join(directory, "vmlinuz"),
    smallInitrd: join(directory, "small.cpio"),
    nodeInitrd: join(directory, "node.cpio"),
  };
}

async function newestKernel(): Promise<string> {
  const { stdout } = await execa("apt-cache", ["depends", PACKAGE]);
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  if (name === undefined) throw new Error(`apt does not know ${PACKAGE}; run apt-get update`);
  return name;
}

/** Unpacked, not installed: this machine's own kernel and boot loader are nobody's business. */
async function unpackKernel(name: string, directory: string): Promise<void> {
  await mkdir(directory);
  await execa("apt-get", ["download", name], { cwd: directory, timeout: 300_000 });
  await execa("dpkg-deb", ["--extract", await findFile(directory, /\.deb$/), directory]);
}

async function makeSmallTree(tree: string, kernel: string): Promise<void> {
  for (const name of ["bin", "modules", "dev"]) await mkdir(join(tree, name), { recursive: true });
  await copyFile(await programPath("busybox"), join(tree, "bin", "busybox"));
  await writeFile(join(tree, "init"), guestInit);
  await chmod(join(tree, "init"), 0o755);
  await execa("mknod", ["-m", "600", join(tree, "dev", "console"), "c", "5", "1"]);
  const files = await readdir(join(kernel, "lib", "modules"), { recursive: true });
  for (const module of guestModules) {
    const file = files.find((path) => basename(path) === `${module}.ko`);
    if (file === undefined) throw new Error(`the kernel has no module ${module}`);
    await copyFile(join(kernel, "lib", "modules", file), join(tree, "modules", `${module}.ko`));
  }
}

async function addNode(tree: string, processUserData: string): Promise<void> {
  const programs = join(tree, "usr", "lib", "peerpods");
  await mkdir(programs, { recursive: true });
  await copyFile(processUserData, join(programs, "process-user-data.mjs"));
  await writeFile(join(programs, "report.mjs"), guestReport);
  await mkdir(join(tree, "usr", "bin"), { recursive: true });
  await execa("strip", ["-o", join(tree, "usr", "bin", "node"), process.execPath], { reject: false });
  await cp(process.execPath, join(tree, "usr", "bin", "node"), { force: false });
  const { stdout } = await execa("ldd", [process.execPath]);
  for (const [, path = ""] of stdout.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm)) {
    await mkdir(join(tree, dirname(path)), { recursive: true });
    await copyFile(path, join(tree, path));
  }
}

/** Not compressed: with emulation unpacking takes longer than reading. */
async function pack(tree: string, file: string): Promise<void> {
  const names = (await readdir(tree, { recursive: true })).toSorted().join("\n");
  await execa("cpio", ["--create", "--format=newc", "--quiet", "--owner=+0:+0", "-F", file], {
    cwd: tree,
    input: `${names}\n`,
  });
}

async function findFile(directory: string, pattern: RegExp): Promise<string> {
  const name = (await readdir(directory)).find((one) => pattern.test(one));
  if (name === undefined) throw new Error(`${directory} has no ${String(pattern)}`);
  return join(directory, name);
}

async function programPath(name: string): Promise<string> {
  const { stdout } = await execa("which", [name]);
  return stdout.trim();
}
