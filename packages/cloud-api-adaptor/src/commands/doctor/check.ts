import type { Finding } from "@peerpods/cloud-providers";
import type { DaemonSettings } from "../../daemon/settings.ts";
import type { DoctorHost } from "./host.ts";

/** What a check is given. */
export interface CheckContext {
  readonly host: DoctorHost;
  /** As the daemon would have them with the same flags and environment. */
  readonly settings: DaemonSettings;
  readonly signal: AbortSignal;
}

/** One area that is looked at. No findings: all is well there. */
export interface Check {
  readonly area: string;
  run(context: CheckContext): Promise<readonly Finding[]>;
}

/** What was found in one area. */
export interface AreaReport {
  readonly area: string;
  readonly findings: readonly Finding[];
}

/** Runs all checks side by side. One that itself fails becomes a finding, so that it hides no other. */
export async function runChecks(
  checks: readonly Check[],
  context: CheckContext,
): Promise<readonly AreaReport[]> {
  return await Promise.all(
    checks.map(async (check) => {
      const { area } = check;
      try {
        return { area, findings: await check.run(context) };
      } catch (error) {
        context.signal.throwIfAborted();
        const message = `this could not be checked: ${error instanceof Error ? error.message : String(error)}`;
        return { area, findings: [finding("error", area, { message, remedy: "see the message" })] };
      }
    }),
  );
}

export function finding(
  severity: Finding["severity"],
  subject: string,
  { message, remedy }: { readonly message: string; readonly remedy: string },
): Finding {
  return { severity, subject, message, remedy };
}
