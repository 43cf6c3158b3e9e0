import { ProviderError, type ProviderErrorCode } from "@peerpods/cloud-providers";
import type { ConditionReason } from "../api/conditions.ts";

/** What a failed deletion means. */
export interface Verdict {
  readonly reason: ConditionReason;
  /** Whether time may help. If not, nothing is tried until the PeerPod or the configuration changes. */
  readonly retry: boolean;
  readonly message: string;
  /** What a person can do. */
  readonly remedy: string;
  readonly retryAfterMs?: number;
  readonly code: ProviderErrorCode;
}

const RELEASE = "annotate it with confidentialcontainers.org/force-release=true to let go of it";

/** Judges what a deletion threw. */
export function judge(thrown: unknown): Verdict {
  const error = ProviderError.from(thrown, "deletion failed");
  const { code, message, retryAfterMs } = error;
  return { code, message, ...verdictOf(code), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function verdictOf(code: ProviderErrorCode): Pick<Verdict, "reason" | "retry" | "remedy"> {
  switch (code) {
    case "unknown_provider":
    case "unsupported_contract":
    case "plugin_refused":
      return {
        reason: "UnsupportedProvider",
        retry: false,
        remedy: `install the provider's package, or delete the instance by hand and ${RELEASE}`,
      };
    case "invalid_request":
      return {
        reason: "MalformedInstanceID",
        retry: false,
        remedy: `correct spec.instanceID, or delete the instance by hand and ${RELEASE}`,
      };
    case "conflict":
      return {
        reason: "ForeignInstance",
        retry: false,
        remedy: `the instance is left alone; if it is none of this pod's, ${RELEASE}`,
      };
    case "invalid_config":
    case "unauthorized":
      return {
        reason: "InvalidConfig",
        retry: true,
        remedy: "correct the ConfigMap or Secret of the providers; it is tried again at once",
      };
    case "not_found":
    case "no_capacity":
    case "quota_exceeded":
    case "throttled":
    case "unavailable":
    case "timeout":
    case "aborted":
    case "circuit_open":
    case "internal":
      return {
        reason: "CloudUnavailable",
        retry: true,
        remedy: "it is tried again; nothing need be done unless this goes on",
      };
  }
}
