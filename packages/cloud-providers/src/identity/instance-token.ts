import { createHash } from "node:crypto";
import { ProviderError } from "../errors.ts";

const MAX_ATTEMPT = 999_999;

/**
 * Idempotency token of one attempt: `<first 8 of the sandbox id>-<40 hex digits>-a<attempt>`, at most 58 characters of
 * `[a-z0-9-]`. The digits are the start of the SHA-256 of the whole sandbox id, because an id of 64 characters does not
 * fit and its start alone is not unique. The same arguments give the same token, in every process.
 * @param attempt from 1; another placement or a re-creation is another attempt.
 * @throws ProviderError `invalid_request` for an empty id or an attempt outside 1 to 999999.
 */
export function instanceToken(sandboxId: string, attempt: number): string {
  if (sandboxId === "") throw new ProviderError("invalid_request", "a token needs a sandbox id");
  if (!Number.isInteger(attempt) || attempt < 1 || attempt > MAX_ATTEMPT)
    throw new ProviderError("invalid_request", `attempt ${attempt} is not an integer of 1 to ${MAX_ATTEMPT}`);
  const start = sandboxId
    .slice(0, 8)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/gu, "-");
  const digest = createHash("sha256").update(sandboxId, "utf8").digest("hex").slice(0, 40);
  return `${start}-${digest}-a${attempt}`;
}

/**
 * Checks a token that came from outside.
 * @throws ProviderError `invalid_request` unless it is 1 to 64 characters of `[a-z0-9-]`.
 */
export function checkToken(token: string): void {
  if (/^[a-z0-9-]{1,64}$/.test(token)) return;
  throw new ProviderError(
    "invalid_request",
    `token ${JSON.stringify(token.slice(0, 80))} is not 1 to 64 characters of a-z, 0-9 and -`,
  );
}
