import type { CallContext, Finding } from "@peerpods/cloud-providers";
import type { Parts } from "../parts.ts";
import { findingsOf } from "./findings.ts";
import { verifyImage } from "./image.ts";
import { verifyNetwork } from "./network.ts";
import { verifyPermissions } from "./permissions.ts";
import { verifyQuota } from "./quota.ts";
import { verifyScope } from "./scope.ts";
import { verifySizes } from "./sizes.ts";

/**
 * Asks Azure whether pod VMs can be made from this configuration. Where credentials, subscription, resource group or the way
 * to Azure do not work, nothing else can be said; otherwise each part is looked at. Nothing is made.
 */
export async function verifyConfig(parts: Parts, call: CallContext): Promise<readonly Finding[]> {
  const scope = await verifyScope(parts, call);
  if (scope.some(({ severity }) => severity === "error")) return scope;
  const { config } = parts;
  const sizeFindings = await findingsOf("instance-size", async () =>
    verifySizes(config, await parts.sizes(call)),
  );
  const known = sizeFindings.every(({ subject }) => subject !== "instance-size" && subject !== "role");
  const sizes = known ? await parts.sizes(call) : [];
  const [permissions, network, image, quota, key] = await Promise.all([
    findingsOf("role", () => verifyPermissions(parts, call)),
    findingsOf("subnetid", () => verifyNetwork(parts, call)),
    findingsOf("imageid", () => verifyImage(parts, sizes, call)),
    findingsOf("quota", () => verifyQuota(parts, sizes, call)),
    findingsOf("ssh-key-path", async () => {
      await parts.sshKey(call);
      return [];
    }),
  ]);
  return distinct([...scope, ...permissions, ...sizeFindings, ...network, ...image, ...quota, ...key]);
}

/** What several checks stumble over is said once. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ subject, message }) => {
    const key = JSON.stringify([subject, message]);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}
