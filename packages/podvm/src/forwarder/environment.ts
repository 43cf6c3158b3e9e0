import { FlagError } from "../program/go-flags.ts";

/** What the environment sets, besides `NOTIFY_SOCKET`. Absent means the default. */
export interface ForwarderEnvironment {
  readonly diskDetection: {
    readonly maxAttempts: number | undefined;
    readonly retryDelayMs: number | undefined;
  };
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads `CAA_DISK_DETECT_MAX_ATTEMPTS` (a whole number above 0) and `CAA_DISK_DETECT_RETRY_DELAY` (a duration as Go
 * writes it, e.g. `1m30s` or `500ms`, above 0).
 * @throws FlagError naming the variable
 */
export function parseForwarderEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): ForwarderEnvironment {
  const attempts = env["CAA_DISK_DETECT_MAX_ATTEMPTS"] || undefined;
  const delay = env["CAA_DISK_DETECT_RETRY_DELAY"] || undefined;
  return {
    diskDetection: {
      maxAttempts: attempts === undefined ? undefined : parseAttempts(attempts),
      retryDelayMs: delay === undefined ? undefined : parseDuration(delay),
    },
  };
}

function parseAttempts(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new FlagError(`CAA_DISK_DETECT_MAX_ATTEMPTS ${JSON.stringify(text)} is not a whole number above 0`);
}

function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const ms = parts.reduce(
    (sum, [, number, unit = ""]) => sum + Number(number) * (unitMs[unit] ?? Number.NaN),
    0,
  );
  if (parts.map(([part]) => part).join("") === text && ms > 0 && ms <= 86_400_000) return ms;
  throw new FlagError(
    `CAA_DISK_DETECT_RETRY_DELAY ${JSON.stringify(text)} is not a duration above 0 and up to 24h, e.g. 2s`,
  );
}
