import {
  CONTRACT_VERSION,
  redactOptions,
  type CloudProvider,
  type OptionValues,
} from "@peerpods/cloud-providers";
import { libvirtOptions } from "./options.ts";

/** Pod VMs on a libvirt host, local or remote, through `virsh`. */
export const provider: CloudProvider = {
  name: "libvirt",
  contractVersion: CONTRACT_VERSION,
  summary: "Pod VMs on any libvirt host, through virsh",
  options: libvirtOptions,
  async newProvider(context) {
    const { newLibvirtProvider } = await import("./provider.ts");
    const config = redactOptions(libvirtOptions, context.config as OptionValues);
    context.logger.debug({ config }, "using libvirt");
    return newLibvirtProvider(context);
  },
};
