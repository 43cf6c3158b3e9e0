import type { Finding } from "../contract.ts";
import { isProviderError, type ProviderError, type ProviderErrorCode } from "../errors.ts";

/** Something that keeps pod VMs from being made. */
export function problem(subject: string, message: string, remedy: string): Finding {
  return { severity: "error", subject, message, remedy };
}

/** Something that may keep some of them from being made. */
export function warning(subject: string, message: string, remedy: string): Finding {
  return { severity: "warning", subject, message, remedy };
}

/** A provider's own words for what its cloud refuses. */
export interface FindingWords {
  /** What helps, by code. Default: "correct the option". */
  readonly remedies: Readonly<Partial<Record<ProviderErrorCode, string>>>;
  /** What an error is about, whichever check has met it. Default: what the check is about. */
  readonly subjects: Readonly<Partial<Record<ProviderErrorCode, string>>>;
  /** Finer words than those by code, for errors that have some. */
  readonly special?: (error: ProviderError) => Finding | undefined;
}

/** Runs one check of a configuration. */
export type Check = (
  subject: string,
  check: () => Promise<readonly Finding[]>,
) => Promise<readonly Finding[]>;

/** Codes that say something about the configuration, and not about the moment. */
const telling: readonly ProviderErrorCode[] = [
  "unauthorized",
  "not_found",
  "invalid_config",
  "invalid_request",
  "quota_exceeded",
  "unavailable",
];

/**
 * Makes of each check what it found, a refusal of the cloud included. A failure that says nothing about the configuration
 * (throttled, an abort, our own circuit) ends the verification: the check rejects with it.
 */
export function createCheck({ remedies, subjects, special }: FindingWords): Check {
  return async (subject, check) => {
    try {
      return await check();
    } catch (error) {
      if (!isProviderError(error)) throw error;
      const finding = special?.(error);
      if (finding !== undefined) return [finding];
      if (!telling.includes(error.code)) throw error;
      const remedy = remedies[error.code] ?? "correct the option";
      return [problem(subjects[error.code] ?? subject, error.message, remedy)];
    }
  };
}
