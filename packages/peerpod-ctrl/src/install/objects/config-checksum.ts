import { createHash } from "node:crypto";
import { slot } from "../slot.ts";
import { configData, secretData } from "./configuration.ts";

/** Annotation that changes with the configuration, so that the daemon is restarted when its environment would differ. */
export const configChecksum = slot(
  'printf "%s%s" (include "peerpods.config" .) (include "peerpods.secretTexts" .) | sha256sum',
  (facts) =>
    createHash("sha256")
      .update(asHelmWrites(configData(facts)) + asHelmWrites(secretData(facts)))
      .digest("hex"),
);

/** JSON in the form of Go: keys sorted, and the characters escaped that HTML minds. */
function asHelmWrites(data: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(data).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return JSON.stringify(Object.fromEntries(sorted)).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
