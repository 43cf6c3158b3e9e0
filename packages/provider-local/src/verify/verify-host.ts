import type { CallContext, Finding } from "@peerpods/cloud-providers";
import type { LocalHost } from "../local-host.ts";
import { verifyCgroups } from "./cgroups.ts";
import { verifyGuestPrograms, verifyPrograms } from "./programs.ts";
import { verifyKernel } from "./kernel.ts";
import { verifyNetwork } from "./network.ts";

/** Facts of this machine that the checks are about. */
export interface CheckContext {
  readonly local: LocalHost;
  readonly call: CallContext;
}

/**
 * Everything that a pod VM needs of this machine and that is missing, each with its remedy. Empty when all is well.
 * Features of the kernel are tried out in namespaces of their own, so nothing of the machine changes.
 */
export async function verifyHost(local: LocalHost, call: CallContext): Promise<readonly Finding[]> {
  const context = { local, call };
  const privileges = verifyPrivileges();
  const programs = await verifyPrograms();
  // Without these there is nothing to try the kernel with.
  const canTry = privileges.length === 0 && programs.length === 0;
  const rest = await Promise.all([
    verifyGuestPrograms(context),
    verifyCgroups(context),
    ...(canTry ? [verifyKernel(context), verifyNetwork(context)] : []),
  ]);
  return [...privileges, ...programs, ...rest.flat()];
}

function verifyPrivileges(): Finding[] {
  if (process.geteuid?.() === 0) return [];
  return [
    {
      severity: "error",
      subject: "privileges",
      message: "pod VMs of provider local need root: namespaces, mounts, links and cgroups of this machine",
      remedy:
        "start the daemon as root, e.g. with sudo; or as root of a user namespace, see `Without root` in the README of " +
        "provider-local",
    },
  ];
}
