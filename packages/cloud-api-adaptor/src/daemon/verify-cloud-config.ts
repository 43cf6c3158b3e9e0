import type { Finding, Logger, Provider } from "@peerpods/cloud-providers";

const TIMEOUT_MS = 60_000;

/** The cloud says that this configuration cannot work. The message has one line per finding. */
export class CloudConfigError extends Error {
  override readonly name = "CloudConfigError";
}

/**
 * Lets the provider ask its cloud whether the configuration can work. What is no error is logged.
 * @throws CloudConfigError when it cannot; the provider's own error when the cloud could not be asked.
 */
export async function verifyCloudConfig(
  provider: Provider,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<void> {
  const findings = await provider.configVerifier({
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    deadline: Date.now() + TIMEOUT_MS,
    logger,
  });
  for (const finding of findings) {
    if (finding.severity === "warning") logger.warn({ finding }, "cloud configuration");
    if (finding.severity === "info") logger.info({ finding }, "cloud configuration");
  }
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new CloudConfigError(errors.map(describe).join("\n"));
}

function describe({ subject, message, remedy }: Finding): string {
  return `${subject}: ${message}; ${remedy}`;
}
