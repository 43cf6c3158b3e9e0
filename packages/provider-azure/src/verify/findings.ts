import { isProviderError, type Finding, type ProviderErrorCode } from "@peerpods/cloud-providers";
import { roleName } from "../role.ts";
import { armCodeOf } from "../errors.ts";

export function problem(subject: string, message: string, remedy: string): Finding {
  return { severity: "error", subject, message, remedy };
}

export function warning(subject: string, message: string, remedy: string): Finding {
  return { severity: "warning", subject, message, remedy };
}

const remedies: Readonly<Partial<Record<ProviderErrorCode, string>>> = {
  unauthorized: "give valid credentials: clientid, tenantid and secret, or a workload identity",
  not_found: "name one that exists in this region and subscription",
  quota_exceeded: "ask Azure for a higher quota, or use smaller or fewer pod VMs",
  unavailable:
    "see that azure-cloud, azure-endpoint and azure-http-proxy are right and that this machine reaches Azure",
};

/** What an error is about, whichever check has met it. */
const subjects: Readonly<Partial<Record<ProviderErrorCode, string>>> = {
  unauthorized: "credentials",
  unavailable: "azure-endpoint",
};

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

/**
 * What one check found, a refusal of Azure included. A failure that says nothing about the configuration (throttled, an
 * abort, our own circuit) ends the verification.
 */
export async function findingsOf(
  subject: string,
  check: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await check();
  } catch (error) {
    if (!isProviderError(error)) throw error;
    const action = missingAction(error);
    if (action !== undefined) return [missingRole([action])];
    const said = [
      "unauthorized",
      "not_found",
      "invalid_config",
      "invalid_request",
      "quota_exceeded",
      "unavailable",
    ];
    if (!said.includes(error.code)) throw error;
    const remedy = remedies[error.code] ?? "correct the option";
    return [problem(subjects[error.code] ?? subject, error.message, remedy)];
  }
}
