import { isProviderError, type Finding, type ProviderErrorCode } from "@peerpods/cloud-providers";

export function problem(subject: string, message: string, remedy: string): Finding {
  return { severity: "error", subject, message, remedy };
}

export function warning(subject: string, message: string, remedy: string): Finding {
  return { severity: "warning", subject, message, remedy };
}

const remedies: Readonly<Partial<Record<ProviderErrorCode, string>>> = {
  unauthorized:
    "give valid credentials (aws-access-key-id and aws-secret-key, aws-profile, or a role) that may make the call",
  not_found: "name one that exists in this region and account",
  quota_exceeded: "ask AWS for a higher quota, or use smaller or fewer pod VMs",
  unavailable:
    "see that aws-region, aws-endpoint and aws-http-proxy are right and that this machine reaches AWS",
};

/** What an error is about, whichever check has met it. */
const subjects: Readonly<Partial<Record<ProviderErrorCode, string>>> = {
  unauthorized: "credentials",
  unavailable: "aws-endpoint",
};

/**
 * What one check found, a refusal of EC2 included. A failure that says nothing about the configuration (throttled, an
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
    const said = ["unauthorized", "not_found", "invalid_config", "invalid_request", "quota_exceeded"];
    if (!said.includes(error.code) && error.code !== "unavailable") throw error;
    const remedy = remedies[error.code] ?? "correct the option";
    return [problem(subjects[error.code] ?? subject, error.message, remedy)];
  }
}
