export { buildPodVMImage, podVMImageVersion } from "./build.ts";
export { ImageError, kernelArguments, type ImageRecipe, type PodVMImage } from "./image.ts";
export { packInitrd, writeBootFiles } from "./initrd.ts";
export { kernelPackageOf, unpackKernel, type Kernel } from "./kernel.ts";
export { moduleFiles, type ModuleFile } from "./modules.ts";
export { runUntil, type Run } from "./run.ts";
