import { createHash } from "node:crypto";

const MAX_NAME = 253;
const MIDDLE = "-resource-";
/** No vowels and no digits that look like letters: the alphabet of Kubernetes' own random names. */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/**
 * Name of a PeerPod: `<pod name>-resource-<5 characters>`, cut to 253. The characters come from the sandbox id, so the same
 * sandbox always has the same name and a repeated creation meets the first one.
 */
export function peerPodName(podName: string, sandboxId: string): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([podName, sandboxId]))
    .digest();
  const suffix = [...digest.subarray(0, 5)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  const room = MAX_NAME - MIDDLE.length - suffix.length;
  // A cut may not end in a dash or dot, else the name would hold ".-".
  return `${podName.slice(0, room).replace(/[-.]+$/, "")}${MIDDLE}${suffix}`;
}
