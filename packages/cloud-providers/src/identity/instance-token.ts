import { createHash } from "node:crypto";

const MAX_LENGTH = 64;

/**
 * Idempotency token of one attempt: `<sandbox>-<attempt>`, at most 64 characters of `[a-z0-9-]` as clouds allow.
 * Equal arguments give equal tokens in every process. An id that is too long or has other characters is replaced by
 * the head of its SHA-256, so that different ids never share a token.
 * @param attempt counts from 1; another type, another zone and a re-creation are another attempt.
 */
export function instanceToken(sandboxId: string, attempt: number): string {
  if (sandboxId === "") throw new RangeError("a token needs a sandbox id");
  if (!Number.isSafeInteger(attempt) || attempt < 1)
    throw new RangeError(`attempt ${attempt} is not a number from 1 on`);
  const suffix = `-${attempt}`;
  const plain = /^[a-z0-9-]+$/.test(sandboxId) && sandboxId.length + suffix.length <= MAX_LENGTH;
  const head = plain ? sandboxId : createHash("sha256").update(sandboxId).digest("hex").slice(0, 48);
  return `${head}${suffix}`;
}
