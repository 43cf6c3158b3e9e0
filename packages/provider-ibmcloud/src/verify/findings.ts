import { isProviderError, type Finding, type ProviderErrorCode } from "@peerpods/cloud-providers";

export function problem(subject: string, message: string, remedy: string): Finding {
  return { severity: "error", subject, message, remedy };
}

export function warning(subject: string, message: string, remedy: string): Finding {
  return { severity: "warning", subject, message, remedy };
}

const remedies: Readonly<Partial<Record<ProviderErrorCode, string>>> = {
  unauthorized: "give a valid api-key or trusted profile, with the role that the message names",
  not_found: "name one that exists in this region and account",
  unavailable:
    "see that vpc-service-url, iam-service-url and ibmcloud-http-proxy are right and that this machine reaches IBM Cloud",
};

/** What an error is about, whichever check has met it. */
const subjects: Readonly<Partial<Record<ProviderErrorCode, string>>> = {
  unauthorized: "credentials",
  unavailable: "vpc-service-url",
};

/**
 * What one check found, a refusal of IBM Cloud included. A failure that says nothing about the configuration (throttled, an
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
    const said = ["unauthorized", "not_found", "invalid_config", "invalid_request", "unavailable"];
    if (!said.includes(error.code)) throw error;
    return [
      problem(subjects[error.code] ?? subject, error.message, remedies[error.code] ?? "correct the option"),
    ];
  }
}
