/**
 * Reduces the published descriptions of ARM's resources to what the stand-in checks of a request: names, types and allowed
 * words of properties. Templates' expressions go, and what is not described is not allowed.
 *
 * Usage: node scripts/reduce.ts <directory with azure-compute.json, azure-network.json>
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

interface Schema {
  readonly [key: string]: unknown;
}

interface Description {
  readonly "x-origin": Readonly<Record<string, string>>;
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly resourceDefinitions: Readonly<Record<string, Schema>>;
}

/** Resources that the provider makes, by the file that describes them. */
const wanted: Readonly<Record<string, readonly string[]>> = {
  "azure-compute.json": ["virtualMachines"],
  "azure-network.json": ["networkInterfaces", "publicIPAddresses"],
};
const kept: readonly string[] = ["type", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern"];

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("name the directory of the descriptions");

const origins: Readonly<Record<string, string>>[] = [];
const resources: Record<string, unknown> = {};
const definitions: Record<string, unknown> = {};
for (const [file, names] of Object.entries(wanted)) {
  const description = JSON.parse(await readFile(join(directory, file), "utf8")) as Description;
  origins.push(description["x-origin"]);
  const take = (name: string) => {
    if (name in definitions) return;
    definitions[name] = {};
    definitions[name] = reduced(description.definitions[name] ?? {}, take);
  };
  for (const name of names) {
    const { properties = {} } = (description.resourceDefinitions[name] ?? {}) as { properties?: Schema };
    // Name, type and version are in the URL of a request; children are requests of their own.
    const { name: _name, type, apiVersion, resources: _children, ...body } = properties;
    const [typeName] = (type as { enum: string[] }).enum;
    const [version] = (apiVersion as { enum: string[] }).enum;
    resources[(typeName ?? "").toLowerCase()] = {
      apiVersion: version,
      body: reduced({ type: "object", properties: body, required: ["properties"] }, take),
    };
  }
}
const target = new URL("../data/arm-requests.json", import.meta.url);
await writeFile(target, `${JSON.stringify({ "x-origin": origins, resources, definitions }, null, 1)}\n`);

/** A schema without expressions; `take` is told each definition that it refers to. */
function reduced(schema: Schema, take: (name: string) => void): Schema {
  const { oneOf, $ref, items, properties, additionalProperties, required } = schema;
  if (typeof $ref === "string") {
    const name = $ref.replace("#/definitions/", "");
    take(name);
    return { $ref: `#/definitions/${name}` };
  }
  if (Array.isArray(oneOf)) {
    const alternatives = (oneOf as Schema[]).filter((one) => one["$ref"] !== "#/definitions/expression");
    const [only] = alternatives;
    if (alternatives.length === 1 && only !== undefined) return reduced(only, take);
    return { oneOf: alternatives.map((one) => reduced(one, take)) };
  }
  const result: Record<string, unknown> = {};
  for (const key of kept) if (schema[key] !== undefined) result[key] = schema[key];
  if (typeof items === "object" && items !== null) result["items"] = reduced(items as Schema, take);
  const map = typeof additionalProperties === "object" && additionalProperties !== null;
  if (properties !== undefined && !map) {
    const entries = Object.entries(properties as Record<string, Schema>);
    result["properties"] = Object.fromEntries(entries.map(([name, one]) => [name, reduced(one, take)]));
    result["additionalProperties"] = false;
  }
  if (map) result["additionalProperties"] = reduced(additionalProperties as Schema, take);
  if (Array.isArray(required)) result["required"] = required;
  return result;
}
