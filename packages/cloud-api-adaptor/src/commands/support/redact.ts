import { createScrubber } from "../../daemon/scrub.ts";
import type { Scrub } from "../../daemon/scrub.ts";

const HIDDEN = "**********";

/** What looks like a secret wherever it stands. Each pattern's first group stays. */
const patterns: readonly RegExp[] = [
  // user:password@host in an address
  /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/]+:)[^\s@/]+(?=@)/gi,
  // Authorization: Basic ..., Bearer ...
  /(\b(?:basic|bearer)\s+)[A-Za-z0-9._~+/=-]{8,}/gi,
  // password=..., "apiKey": "...", secret_access_key: ...
  /((?:passw(?:or)?d|secret|api_?-?key|access_?-?key|credential|auth_?-?json|private_?-?key)\w*\\?["']?\s*[:=]\s*\\?["']?)(?!(?:true|false|null)\b)[^\s"',}\\]{4,}/gi,
];

/** Members of the daemon's files that hold policy texts, annotations or keys: not a secret each, but nobody's business. */
const hiddenMembers = new Set(["initdata", "userData", "annotations", "env", "key", "cert", "authJson"]);

/**
 * Hides secrets in a text before it leaves the node: values that are known, private keys, and what looks like one.
 * @param known secret values, e.g. those of options in the environment.
 */
export function createRedaction(known: readonly string[]): Scrub {
  const scrub = createScrubber(known);
  return (text) =>
    patterns.reduce((redacted, pattern) => redacted.replaceAll(pattern, `$1${HIDDEN}`), scrub(text));
}

/** A JSON text with those members replaced by how long they were; a text that is no JSON is left out altogether. */
export function redactJson(text: string): string {
  try {
    return JSON.stringify(
      JSON.parse(text),
      (key, value: unknown) =>
        hiddenMembers.has(key) ? `(${JSON.stringify(value)?.length ?? 0} characters)` : value,
      2,
    );
  } catch {
    return `(${text.length} characters that are no JSON)`;
  }
}
