/** What a pod VM image is made of. */
export interface ImageRecipe {
  /** Debian package of the kernel, or one that depends on it. Only looked at and unpacked, never installed. */
  readonly kernelPackage: string;
  /** Directory with the built `process-user-data.mjs` and `agent-protocol-forwarder.mjs`. */
  readonly guestDirectory: string;
  /** Built `dev-agent.mjs`. */
  readonly agent: string;
  /** Directory of OCI layouts that containers find by name without a registry; empty: none. */
  readonly images: string;
}

/** A built image: two files that a hypervisor boots. */
export interface PodVMImage {
  readonly kernel: string;
  /** The whole system; it lives in memory. */
  readonly initrd: string;
  /** Changes with everything that goes into it. */
  readonly version: string;
}

/** The kernel's command line, for a serial console. The rest is a matter of the initrd. */
export const kernelArguments = "console=ttyS0 quiet panic=-1";

/** Something the image needs is not there; the message names it and the remedy. */
export class ImageError extends Error {
  override readonly name = "ImageError";
}
