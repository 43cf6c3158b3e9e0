import { readFileSync } from "node:fs";
import { ApiError } from "./api-error.ts";

interface Model {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

const { models } = JSON.parse(
  readFileSync(new URL("../data/vpc-requests.json", import.meta.url), "utf8"),
) as { readonly models: Readonly<Record<string, Model>> };

export type Json = Readonly<Record<string, unknown>>;

/** @throws ApiError `bad_field` or `missing_field` for what the published model does not have, or lacks. */
export function checkModel(name: string, value: unknown, path: string): Json {
  const model = models[name];
  if (model === undefined) throw new Error(`no model ${name}`);
  const object = objectAt(value, path);
  const known = [...model.required, ...model.optional];
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new ApiError(400, "bad_field", `${path}.${unknown} is not a property of ${name}`);
  const missing = model.required.find((key) => object[key] === undefined);
  if (missing !== undefined) throw new ApiError(400, "missing_field", `${path}.${missing} is missing`);
  return object;
}

export function objectAt(value: unknown, path: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new ApiError(400, "bad_field", `${path} is not an object`);
}

export function listAt(value: unknown, path: string): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new ApiError(400, "bad_field", `${path} is not a list`);
}

/** The one text of an identity: `{ id }` or `{ name }`, and nothing beside it. */
export function identityAt(value: unknown, key: "id" | "name", path: string): string {
  const object = objectAt(value, path);
  const text = object[key];
  if (typeof text === "string" && text !== "" && Object.keys(object).length === 1) return text;
  throw new ApiError(400, "bad_field", `${path} must hold ${key} and nothing else`);
}

/** What the VPC takes as a name. */
export function nameAt(value: unknown, path: string): string {
  if (typeof value === "string" && value.length <= 63 && /^([a-z]|[a-z][-a-z0-9]*[a-z0-9])$/.test(value))
    return value;
  throw new ApiError(400, "validation_invalid_name", `${path}: ${JSON.stringify(value)} is not a valid name`);
}

export function booleanAt(value: unknown, path: string): boolean {
  if (typeof value === "boolean") return value;
  throw new ApiError(400, "bad_field", `${path} is not a boolean`);
}

export function textAt(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  throw new ApiError(400, "bad_field", `${path} is not a text`);
}
