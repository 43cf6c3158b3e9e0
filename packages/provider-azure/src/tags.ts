import { tagKeys, type CreateInstanceRequest, type Tags } from "@peerpods/cloud-providers";
import { fingerprintOf } from "./fingerprint.ts";

/** Tags of ours beside the contract's: the name the caller gave, and what tells one request from another. */
export const ownTagKeys = { name: "peerpods-name", request: "peerpods-request" } as const;

/** Tags of everything that is made for a request: the account's own, then the caller's. */
export function tagsFor(request: CreateInstanceRequest, custom: Tags): Tags {
  return { ...custom, ...request.tags, [tagKeys.token]: request.token };
}

/** Tags of the machine itself. */
export function machineTags(request: CreateInstanceRequest, custom: Tags): Tags {
  return {
    ...tagsFor(request, custom),
    [ownTagKeys.name]: request.name,
    [ownTagKeys.request]: fingerprintOf(request),
  };
}

/** Of the 50 that ARM allows, ours take nine. */
const MAX_CUSTOM_TAGS = 41;

/** What is wrong with the account's own tags, one line each. */
export function tagProblems(tags: Tags): readonly string[] {
  const entries = Object.entries(tags);
  const problems =
    entries.length > MAX_CUSTOM_TAGS
      ? [`tags (TAGS): ${entries.length} are too many; Azure leaves room for ${MAX_CUSTOM_TAGS}`]
      : [];
  for (const [key, value] of entries) {
    const say = (what: string) => problems.push(`tags (TAGS): ${JSON.stringify(key.slice(0, 80))}: ${what}`);
    if (/^peerpods-/i.test(key)) say("this key is set by us");
    if (/^(microsoft|azure|windows)/i.test(key))
      say("keys that begin with microsoft, azure or windows are Microsoft's");
    if (/[<>%&\\?/]/.test(key)) say(String.raw`the key holds one of < > % & \ ? /`);
    if (key.length > 512) say("the key is over 512 characters");
    if (value.length > 256) say("the value is over 256 characters");
  }
  const lower = entries.map(([key]) => key.toLowerCase());
  if (new Set(lower).size < lower.length) problems.push("tags (TAGS): two keys differ only in case");
  return problems;
}
