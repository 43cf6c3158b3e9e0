import { chmod, copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/**
 * Builds a tiny OCI image (one layer, a static busybox with its links) as an OCI layout at
 * `<directory>/<name>`, tag `latest`, and returns the layout's path. Needs umoci and busybox-static.
 */
export async function buildBusyboxImage(directory: string, name: string): Promise<string> {
  const layout = join(directory, ...name.split("/"));
  const bundle = `${layout}.bundle`;
  const image = `${layout}:latest`;
  await mkdir(join(layout, ".."), { recursive: true });
  await execa("umoci", ["init", "--layout", layout]);
  await execa("umoci", ["new", "--image", image]);
  await execa("umoci", ["unpack", "--image", image, bundle]);
  const bin = join(bundle, "rootfs", "bin");
  for (const dir of ["bin", "tmp", "proc", "sys", "dev", "etc"])
    await mkdir(join(bundle, "rootfs", dir), { recursive: true });
  const { stdout } = await execa("sh", ["-c", "command -v busybox"]);
  await copyFile(stdout, join(bin, "busybox"));
  await chmod(join(bin, "busybox"), 0o755);
  const { stdout: applets } = await execa(join(bin, "busybox"), ["--list"]);
  const script = applets
    .split("\n")
    .filter((applet) => applet !== "busybox")
    .map((applet) => `ln -sf /bin/busybox '${applet}'`)
    .join("\n");
  await execa("sh", ["-c", script], { cwd: bin });
  await execa("umoci", ["repack", "--image", image, bundle]);
  await execa("umoci", [
    "config",
    "--image",
    image,
    "--config.env",
    "PATH=/bin",
    "--config.cmd",
    "/bin/sh",
    "--config.workingdir",
    "/",
  ]);
  return layout;
}
