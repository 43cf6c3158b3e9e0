/** JSON.rawJSON is part of Node 24, but not yet of the library types. */
const { rawJSON } = JSON as typeof JSON & { rawJSON: (this: void, text: string) => unknown };

/** JSON with 64-bit numbers written out in full: the runtime's limits use their whole range. */
export function stringifyExact(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === "bigint" ? rawJSON(member.toString()) : member,
  );
}
