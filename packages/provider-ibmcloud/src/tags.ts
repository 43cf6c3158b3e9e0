import { tagKeys, type Tags } from "@peerpods/cloud-providers";

/**
 * User tags of IBM Cloud are plain words, `key:value` by convention: at most 128 of letters, digits, space and `_ - . :`,
 * and alike in upper and lower case.
 */
export const tagForm = /^[A-Za-z0-9 _.:-]{1,128}$/;

const MAX_TAG_LENGTH = 128;

/** Holds the instance's readable name: the VPC's own names are unique in a region, so that one is made of the token. */
export const NAME_KEY = "peerpods-name";
/** Holds a digest of what was asked for, so that a token is not taken for another request's. */
export const REQUEST_KEY = "peerpods-request";

/**
 * Our tags as user tags. What they cannot hold is written as `_` and hexadecimal digits, and a value that is too long goes on
 * in further tags (`peerpods-pod.1:`), so that {@link fromUserTags} gives back exactly what went in.
 */
export function toUserTags(tags: Tags): readonly string[] {
  return Object.entries(tags).flatMap(([key, value]) => {
    const encoded = encode(value);
    const whole = `${key}:${encoded}`;
    if (whole.length <= MAX_TAG_LENGTH) return [whole];
    const room = MAX_TAG_LENGTH - key.length - ".99:".length;
    return [...chunks(encoded, room)].map((part, index) => `${key}.${index}:${part}`);
  });
}

/** Tags of ours among the user tags of a resource. */
export function fromUserTags(userTags: readonly string[]): Tags {
  const parts = new Map<string, string[]>();
  for (const tag of userTags) {
    const [, key = "", index = "0", value = ""] = /^([a-z-]+)(?:\.(\d{1,2}))?:(.*)$/s.exec(tag) ?? [];
    if (key === "") continue;
    const list = parts.get(key) ?? [];
    list[Number(index)] = value;
    parts.set(key, list);
  }
  return Object.fromEntries([...parts].map(([key, list]) => [key, decode(list.join(""))]));
}

/** The one user tag that finds everything made for a token. */
export function tokenTag(token: string): string {
  return `${tagKeys.token}:${encode(token)}`;
}

function encode(value: string): string {
  return value.replaceAll(/[^a-z0-9.-]/gsu, (character) =>
    [...Buffer.from(character, "utf8")].map((byte) => `_${byte.toString(16).padStart(2, "0")}`).join(""),
  );
}

function decode(text: string): string {
  return text.replaceAll(/(?:_[0-9a-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll("_", ""), "hex").toString("utf8"),
  );
}

function* chunks(text: string, length: number): Generator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}
