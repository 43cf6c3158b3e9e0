import { ProviderError } from "../errors.ts";

const PREFIX = "podvm";
const SANDBOX_PART = 8;
/** `podvm-`, `-` and the sandbox part. */
const FIXED_LENGTH = PREFIX.length + SANDBOX_PART + 2;

/**
 * Name of a pod VM: `podvm-<pod>-<first 8 of the sandbox id>`, lower case, everything outside `a-z0-9-` a dash,
 * the pod's part cut so that the whole fits `maxLength` (default 63; 0 or less: no limit).
 * The same helper gives the server name in the VM's TLS certificate.
 * @throws ProviderError `invalid_request` when `maxLength` leaves no room for any name.
 */
export function instanceName(
  podName: string,
  sandboxId: string,
  { maxLength = 63 }: { readonly maxLength?: number } = {},
): string {
  const pod = sanitize(podName);
  const sandbox = sanitize(sandboxId).slice(0, SANDBOX_PART);
  const room = maxLength - FIXED_LENGTH;
  if (maxLength <= 0 || pod.length <= room) return `${PREFIX}-${pod}-${sandbox}`;
  if (room < 0) {
    throw new ProviderError(
      "invalid_request",
      `an instance name needs at least ${FIXED_LENGTH} characters, not ${maxLength}`,
    );
  }
  return `${PREFIX}-${pod.slice(0, room)}-${sandbox}`;
}

/** One dash per foreign code point, so that the result is as long as the name is to a person. */
function sanitize(text: string): string {
  return Array.from(text, (char) => char.toLowerCase())
    .map((char) => (/^[a-z0-9-]$/.test(char) ? char : "-"))
    .join("");
}
