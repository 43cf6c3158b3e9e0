import type { CallContext, CreateInstanceRequest, Finding } from "@peerpods/cloud-providers";
import { planCreation } from "../create-instance.ts";
import type { Parts } from "../parts.ts";

/**
 * Asks EC2 whether it would make a pod VM from this configuration, without making one. It judges what no other call
 * tells: permissions, key pair, launch template, instance profile.
 */
export async function verifyByDryRun(parts: Parts, call: CallContext): Promise<readonly Finding[]> {
  const { ec2, run } = await planCreation(parts, exampleRequest, call);
  // A dry run makes nothing that a token would have to find again.
  const { ClientToken: _, ...input } = run;
  await ec2.call("RunInstances", { ...input, DryRun: true }, call);
  return [];
}

const exampleRequest: CreateInstanceRequest = {
  token: "verify-configuration",
  name: "podvm-verify-configuration",
  sandboxId: "verify-configuration",
  podName: "verify-configuration",
  podNamespace: "default",
  userData: "#cloud-config\n",
  tags: {},
  spec: {
    instanceType: "",
    vcpus: 0,
    memoryMiB: 0,
    gpus: 0,
    arch: "",
    image: "",
    multiNic: false,
    volumes: [],
  },
};
