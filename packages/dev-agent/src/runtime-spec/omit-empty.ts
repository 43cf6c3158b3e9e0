/**
 * Leaves out members that hold nothing: the wire has no presence, so 0, "", false and empty lists mean "not given".
 * Returns undefined when nothing is left.
 */
export function omitEmpty<T extends object>(value: T): Partial<T> | undefined {
  const entries = Object.entries(value).filter(([, member]) => !isEmpty(member));
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as Partial<T>);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === "" || value === 0 || value === 0n || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
