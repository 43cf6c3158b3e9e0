import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "./image.ts";
import type { Run } from "./run.ts";

/** An unpacked kernel. */
export interface Kernel {
  /** The bootable file. */
  readonly file: string;
  /** `/lib/modules/<version>` of it. */
  readonly modules: string;
}

/**
 * Name and version of the package that holds the kernel itself: Debian's `linux-image-amd64` and the like only depend on one.
 * @throws ImageError when apt does not know it.
 */
export async function kernelPackageOf(
  name: string,
  run: Run,
): Promise<{ readonly name: string; readonly version: string }> {
  const depends = await run("apt-cache", ["depends", name]);
  const real = /Depends: (linux-image-\S+)/.exec(depends)?.[1] ?? name;
  const version = /^Version: (.+)$/m.exec(await run("apt-cache", ["show", "--no-all-versions", real]))?.[1];
  if (version === undefined) throw new ImageError(`apt does not know ${name}; run apt-get update`);
  return { name: real, version };
}

/** Downloads and unpacks it below a directory. Nothing is installed: this machine's own kernel and boot loader stay. */
export async function unpackKernel(
  name: string,
  { directory, run }: { directory: string; run: Run },
): Promise<Kernel> {
  await mkdir(directory, { recursive: true });
  await run("apt-get", ["download", name], { cwd: directory });
  const at = async (where: string, pattern: RegExp) => {
    const found = (await readdir(where)).find((one) => pattern.test(one));
    if (found === undefined) throw new ImageError(`the package ${name} has no ${String(pattern)}`);
    return join(where, found);
  };
  await run("dpkg-deb", ["--extract", await at(directory, /\.deb$/), directory]);
  return {
    file: await at(join(directory, "boot"), /^vmlinuz-/),
    modules: await at(join(directory, "lib", "modules"), /./),
  };
}
