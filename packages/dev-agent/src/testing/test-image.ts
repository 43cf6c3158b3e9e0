import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Makes an OCI layout with a busybox at `<root>/<name>`, tag `latest`; `/bin` has links for the applets named. */
export async function makeTestImage(root: string, name: string, applets: readonly string[]): Promise<string> {
  const layout = join(root, name);
  const bundle = `${layout}.bundle`;
  const image = `${layout}:latest`;
  await mkdir(join(layout, ".."), { recursive: true });
  await run("umoci", ["init", "--layout", layout]);
  await run("umoci", ["new", "--image", image]);
  await run("umoci", ["unpack", "--image", image, bundle]);
  const bin = join(bundle, "rootfs", "bin");
  for (const directory of ["bin", "tmp", "proc", "sys", "dev", "etc"])
    await mkdir(join(bundle, "rootfs", directory), { recursive: true });
  const { stdout } = await run("sh", ["-c", "command -v busybox"]);
  await copyFile(stdout.trim(), join(bin, "busybox"));
  await chmod(join(bin, "busybox"), 0o755);
  for (const applet of applets) await run("ln", ["-s", "busybox", join(bin, applet)]);
  await run("umoci", ["repack", "--image", image, bundle]);
  return layout;
}
