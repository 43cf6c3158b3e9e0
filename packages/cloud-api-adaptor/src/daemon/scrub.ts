const HIDDEN = "**********";
/** Shorter ones would hide ordinary words. */
const MIN_SECRET_LENGTH = 6;
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)/gs;

/** Replaces secrets in a text that leaves the daemon. */
export type Scrub = (text: string) => string;

/**
 * The last line of defence before any output: known secret values and private keys are replaced by asterisks, wherever
 * they got into the text from (an SDK's error, a command line, a response body). Also found inside JSON.
 */
export function createScrubber(secrets: readonly string[]): Scrub {
  const forms = secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  // Longest first, so that a secret that is part of another does not leave the rest of it.
  const ordered = [...new Set(forms)].toSorted((a, b) => b.length - a.length);
  return (text) =>
    ordered.reduce(
      (scrubbed, secret) => scrubbed.replaceAll(secret, HIDDEN),
      text.replaceAll(privateKey, HIDDEN),
    );
}
