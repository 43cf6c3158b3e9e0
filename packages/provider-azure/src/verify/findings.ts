import { createCheck, problem, type Finding } from "@peerpods/cloud-providers";
import { roleName } from "../role.ts";
import { armCodeOf } from "../errors.ts";

/** A refusal of the role, not of the credentials: the action that is missing, or `undefined`. */
export function missingAction(error: unknown): string | undefined {
  if (!["AuthorizationFailed", "LinkedAuthorizationFailed"].includes(armCodeOf(error))) return undefined;
  const [, action = "an action that Azure does not name"] =
    /perform (?:the )?action(?:\(s\))? '([^']+)'/.exec((error as Error).message) ?? [];
  return action;
}

export function missingRole(actions: readonly string[]): Finding {
  return problem(
    "role",
    `the identity may not ${actions.join(", ")}`,
    `assign it the role "${roleName}" (deploy/role.json of this package) on the resource group, and on the network's where that is another`,
  );
}

/** What one check found, in words about Azure. */
export const findingsOf = createCheck({
  remedies: {
    unauthorized: "give valid credentials: clientid, tenantid and secret, or a workload identity",
    not_found: "name one that exists in this region and subscription",
    quota_exceeded: "ask Azure for a higher quota, or use smaller or fewer pod VMs",
    unavailable:
      "see that azure-cloud, azure-endpoint and azure-http-proxy are right and that this machine reaches Azure",
  },
  subjects: {
    unauthorized: "credentials",
    unavailable: "azure-endpoint",
  },
  special(error) {
    const action = missingAction(error);
    return action === undefined ? undefined : missingRole([action]);
  },
});
