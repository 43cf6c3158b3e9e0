import { problem, warning, type CallContext, type Finding } from "@peerpods/cloud-providers";
import type { Ibmcloud } from "../client.ts";
import type { IbmcloudConfig } from "../config.ts";
import { describeImage } from "../images.ts";
import type { Profile } from "../profiles.ts";
import { findingsOf } from "./findings.ts";

/** Whether the configured profiles can do what the other options ask of them. */
export function verifyProfiles(config: IbmcloudConfig, profiles: readonly Profile[]): readonly Finding[] {
  if (!config.confidential) return [];
  const unfit = profiles.filter((profile) => !profile.confidential).map(({ name }) => name);
  if (unfit.length === 0) return [];
  const remedy =
    "name profiles with Intel TDX (bx3dc, cx3dc) or Secure Execution (bz2e, cz2e, mz2e), or set disable-cvm";
  if (unfit.includes(config.profile))
    return [problem("profile-name", `${config.profile} cannot be a confidential VM`, remedy)];
  return [
    warning("profile-list", `${unfit.join(", ")} cannot be confidential VMs and are never used`, remedy),
  ];
}

/** Whether each image can be used, and whether there is one for each profile. */
export async function verifyImages(
  ibmcloud: Ibmcloud,
  { config, profiles }: { readonly config: IbmcloudConfig; readonly profiles: readonly Profile[] },
  call: CallContext,
): Promise<readonly Finding[]> {
  const archs = new Set<string>();
  const findings = await Promise.all(
    config.images.map(
      async (id) =>
        await findingsOf("image-id", async () => {
          const { arch, status } = await describeImage(ibmcloud, id, call);
          archs.add(arch);
          if (status === "available") return [];
          return status === "deprecated"
            ? [warning("image-id", `image ${id} is deprecated`, "name a newer one")]
            : [
                problem(
                  "image-id",
                  `image ${id} is ${status}`,
                  "wait until it is available, or name another",
                ),
              ];
        }),
    ),
  );
  const unserved = profiles.filter(
    ({ arch }) => arch !== "" && archs.size > 0 && !archs.has(arch) && !archs.has(""),
  );
  const missing = unserved.map(({ name, arch }) =>
    problem(
      "image-id",
      `no image is for ${arch}, but profile ${name} is`,
      `name an image for ${arch}, or take the profile away`,
    ),
  );
  return [...findings.flat(), ...missing];
}
