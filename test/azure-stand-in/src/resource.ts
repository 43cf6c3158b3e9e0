/** Any JSON object on the wire. */
export type Json = { [key: string]: unknown };

export interface Reference {
  readonly id: string;
  readonly properties?: { readonly deleteOption?: string; readonly primary?: boolean };
}

/** What the stand-in keeps of a resource. Its `properties` are as ARM would answer them. */
export interface Resource {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly zones?: readonly string[];
  readonly sku?: Json;
  readonly properties: Json;
}

/** A value deep inside, or `undefined` where there is nothing on the way. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller has checked the form
export function at<Value>(thing: unknown, ...path: readonly (string | number)[]): Value | undefined {
  let value = thing;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value as Value | undefined;
}

/** A text deep inside; empty where there is none. */
export function textAt(thing: unknown, ...path: readonly (string | number)[]): string {
  const value = at<unknown>(thing, ...path);
  return typeof value === "string" ? value : "";
}
