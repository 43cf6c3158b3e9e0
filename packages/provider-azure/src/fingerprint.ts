import { createHash } from "node:crypto";
import type { CreateInstanceRequest } from "@peerpods/cloud-providers";

/**
 * What tells one request from another: ARM has no idempotency tokens, so the machine carries this in a tag. Configuration
 * is not part of it: a daemon that comes back with another default must find what it has made.
 */
export function fingerprintOf({
  name,
  sandboxId,
  podName,
  podNamespace,
  userData,
  spec,
  placement,
}: CreateInstanceRequest): string {
  const parts = [
    name,
    sandboxId,
    podName,
    podNamespace,
    userData,
    [spec.instanceType, spec.vcpus, spec.memoryMiB, spec.gpus, spec.arch, spec.image],
    [spec.multiNic, spec.spot === true, spec.volumes.map(({ diskId }) => diskId)],
    [placement?.instanceType ?? "", placement?.zone ?? ""],
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
