import type { CallContext, Finding } from "@peerpods/cloud-providers";
import type { Parts } from "../parts.ts";
import { findingsOf } from "./findings.ts";
import { verifyByDryRun } from "./dry-run.ts";
import { verifyImage } from "./image.ts";
import { verifyNetwork } from "./network.ts";
import { verifyQuota } from "./quota.ts";
import { verifyTypes } from "./types.ts";

/**
 * Asks EC2 whether pod VMs can be made from this configuration. Where credentials, region or the way to EC2 do not work, nothing
 * else can be said; otherwise each part is looked at, and a dry run has the last word.
 */
export async function verifyConfig(parts: Parts, call: CallContext): Promise<readonly Finding[]> {
  const { config } = parts;
  const first = await findingsOf("aws-region", async () => {
    await parts.connect(call);
    return [];
  });
  if (first.length > 0) return first;
  const connected = await parts.connect(call);
  const { ec2, settings } = connected;
  const typeFindings = await findingsOf("instance-type", async () =>
    verifyTypes(config, await parts.instanceTypes(call)),
  );
  if (typeFindings.some(({ subject }) => subject === "credentials" || subject === "aws-endpoint"))
    return typeFindings;
  const types = typeFindings.some(({ severity }) => severity === "error")
    ? []
    : await parts.instanceTypes(call);
  const findings = [
    ...typeFindings,
    ...(await findingsOf("imageid", () => verifyImage(ec2, { config, types }, call))),
    ...(await findingsOf("subnetid", () => verifyNetwork(ec2, settings, call))),
    ...(await findingsOf("quota", () => verifyQuota(parts, { connected, types }, call))),
  ];
  // What is known to be wrong would only be said once more.
  if (findings.some(({ severity }) => severity === "error")) return findings;
  const subject = config.launchTemplate === "" ? "RunInstances" : "aws-lt-name";
  return [...findings, ...(await findingsOf(subject, () => verifyByDryRun(parts, call)))];
}
