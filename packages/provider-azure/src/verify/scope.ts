import { isProviderError, problem, type CallContext, type Finding } from "@peerpods/cloud-providers";
import { groupPath } from "../names.ts";
import type { Parts } from "../parts.ts";
import { armCodeOf } from "../errors.ts";
import { findingsOf } from "./findings.ts";

/** Whether the credentials work, and subscription and resource group exist for them. */
export async function verifyScope(parts: Parts, call: CallContext): Promise<readonly Finding[]> {
  const { config } = parts;
  const subscription = await findingsOf("credentials", async () => {
    const arm = await parts.connect(call);
    try {
      const { body } = await arm.call<{ readonly state?: string }>(
        "GetSubscription",
        { path: `/subscriptions/${config.subscription}` },
        call,
      );
      return body.state === undefined || body.state === "Enabled"
        ? []
        : [notEnabled(config.subscription, body.state)];
    } catch (error) {
      if (!isWrongSubscription(error)) throw error;
      return [
        problem(
          "subscriptionid",
          `subscription ${config.subscription} does not exist, or these credentials do not see it`,
          "name the subscription of the resource group, and credentials of its tenant",
        ),
      ];
    }
  });
  if (subscription.length > 0) return subscription;
  return await findingsOf("resourcegroup", async () => {
    const arm = await parts.connect(call);
    await arm.call("GetGroup", { path: groupPath(config) }, call);
    return [];
  });
}

function notEnabled(subscription: string, state: string): Finding {
  return problem("subscriptionid", `subscription ${subscription} is ${state}`, "enable it, or name another");
}

function isWrongSubscription(error: unknown): boolean {
  return (
    isProviderError(error) &&
    ["SubscriptionNotFound", "InvalidSubscriptionId", "InvalidAuthenticationTokenTenant"].includes(
      armCodeOf(error),
    )
  );
}
