import { isProviderError, type Finding } from "@peerpods/cloud-providers";
import { findPrograms, guestProgramsOfHost, wantedBusybox, type WantedProgram } from "../image/base-layer.ts";
import { findGuestPrograms } from "../image/guest-layer.ts";
import type { CheckContext } from "./verify-host.ts";

/** Programs that this provider runs on the machine itself, beside those that go into the image. */
const hostPrograms: readonly WantedProgram[] = [
  { names: ["flock"], package: "util-linux", purpose: "keep two processes from working on one pod VM" },
  { names: ["ldd"], package: "libc-bin", purpose: "find the libraries of the pod VM image" },
];

/** Missing programs, each with its package. */
export async function verifyPrograms(): Promise<Finding[]> {
  const { missing } = await findPrograms([wantedBusybox, ...hostPrograms, ...guestProgramsOfHost]);
  return missing.map((program) => ({
    severity: "error" as const,
    subject: program.names.join(" or "),
    message: `not found in the usual places; needed to ${program.purpose}`,
    remedy: `apt-get install ${program.package}`,
  }));
}

/** Missing built files of the guest. */
export async function verifyGuestPrograms({ local }: CheckContext): Promise<Finding[]> {
  try {
    await findGuestPrograms(local.config);
    return [];
  } catch (error) {
    if (!isProviderError(error)) throw error;
    return [
      {
        severity: "error",
        subject: "local-guest-dir",
        message: error.message,
        remedy: "build the guest programs, or name a directory that has them",
      },
    ];
  }
}
