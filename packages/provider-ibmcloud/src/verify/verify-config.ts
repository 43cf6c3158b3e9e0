import type { CallContext, Finding } from "@peerpods/cloud-providers";
import type { Parts } from "../parts.ts";
import { findingsOf } from "./findings.ts";
import { verifyImages, verifyProfiles } from "./machine.ts";
import { verifyNetwork } from "./network.ts";

/**
 * Asks IBM Cloud whether pod VMs can be made from this configuration. Where credentials, region or the way to it do not work,
 * nothing else can be said. The VPC API tells no quotas and knows no dry run, so a quota shows only with the first pod.
 */
export async function verifyConfig(parts: Parts, call: CallContext): Promise<readonly Finding[]> {
  const { config } = parts;
  const first = await findingsOf("primary-subnet-id", async () => {
    await parts.settings(call);
    return [];
  });
  if (first.length > 0) return first;
  const ibmcloud = await parts.ibmcloud(call);
  const settings = await parts.settings(call);
  const profileFindings = await findingsOf("profile-name", async () =>
    verifyProfiles(config, await parts.profiles(call)),
  );
  const profiles = profileFindings.some(({ severity }) => severity === "error")
    ? []
    : await parts.profiles(call);
  return [
    ...profileFindings,
    ...(await verifyImages(ibmcloud, { config, profiles }, call)),
    ...(await findingsOf("primary-subnet-id", () => verifyNetwork(ibmcloud, { config, settings }, call))),
  ];
}
