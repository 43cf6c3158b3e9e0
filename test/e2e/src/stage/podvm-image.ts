import { stat, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { guestKernel } from "@peerpods/libvirt-stand-in";
import { buildOnce } from "@peerpods/test-harness";
import { buildPodVMImage, podVMImageVersion, type PodVMImage } from "@peerpods/podvm/image";
import { execa } from "execa";
import { buildBusyboxImage } from "./image.ts";

const { resolve } = createRequire(import.meta.url);
const BUILD_TIMEOUT_MS = 600_000;

/** Builds, once for everything that goes in, a pod VM image with our agent that has a container image of this name. */
export async function buildTestPodVMImage(containerImage: string): Promise<Omit<PodVMImage, "version">> {
  const recipe = {
    kernelPackage: guestKernel,
    guestDirectory: dirname(resolve("@peerpods/podvm/guest/process-user-data.mjs")),
    agent: resolve("@peerpods/dev-agent/guest/dev-agent.mjs"),
    images: await containerImages(containerImage),
  };
  const signal = AbortSignal.timeout(BUILD_TIMEOUT_MS);
  const version = await podVMImageVersion(recipe, { signal });
  const build = async (directory: string) => void (await buildPodVMImage(recipe, { directory, signal }));
  const directory = await buildOnce(`podvm-image-${version}`, build, { replaces: "podvm-image-" });
  return { kernel: join(directory, "vmlinuz"), initrd: join(directory, "initrd") };
}

/** The same bytes each time: what umoci makes carries the time of the day. */
async function containerImages(name: string): Promise<string> {
  const { stdout: busybox } = await execa("which", ["busybox"]);
  const { size, mtimeMs } = await stat(busybox);
  return await buildOnce(`images-${name.replaceAll("/", "-")}-${size}-${mtimeMs}`, async (directory) => {
    const layout = await buildBusyboxImage(directory, name);
    await rm(`${layout}.bundle`, { recursive: true });
  });
}
