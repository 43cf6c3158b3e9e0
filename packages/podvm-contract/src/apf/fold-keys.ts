type JsonObject = Readonly<Record<string, unknown>>;

/** Names two keys of one object that differ in case only, so that readers could disagree on which one counts. */
export class AmbiguousKey extends Error {}

/**
 * Reads an object as the reference reader does: keys in any case, unknown keys ignored, `null` as absent.
 * Anything but a plain object is returned as it is, for the schema to refuse.
 */
export function foldKeys(value: unknown, knownKeys: readonly string[]): unknown {
  if (!isObject(value)) return value;
  const known = new Map(knownKeys.map((key) => [key.toLowerCase(), key]));
  const folded = new Map<string, unknown>();
  const seen = new Set<string>();
  for (const [name, item] of Object.entries(value)) {
    const key = known.get(name.toLowerCase());
    if (key === undefined) continue;
    if (seen.has(key)) throw new AmbiguousKey(key);
    seen.add(key);
    if (item !== null) folded.set(key, item);
  }
  return Object.fromEntries(folded);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
