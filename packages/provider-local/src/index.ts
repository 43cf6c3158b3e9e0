import { CONTRACT_VERSION, type CloudProvider } from "@peerpods/cloud-providers";
import { localOptions } from "./options.ts";

/** Pod VMs made of namespaces on this machine. For trying out and testing: they do not isolate as a VM does. */
export const provider: CloudProvider = {
  name: "local",
  contractVersion: CONTRACT_VERSION,
  summary: "Pod VMs made of namespaces on this machine, for trying out and testing",
  options: localOptions,
  async newProvider(context) {
    const { newLocalProvider } = await import("./provider.ts");
    return await newLocalProvider(context);
  },
};
