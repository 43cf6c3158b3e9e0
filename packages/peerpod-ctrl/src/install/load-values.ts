import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import * as z from "zod";
import { chartDirectory } from "./chart/chart-directory.ts";
import { valuesSchema, type InstallValues } from "./values.ts";

const MAX_FILE_BYTES = 1024 * 1024;

/** Where values come from, each overriding those before it: the chart's defaults, files, single settings. */
export interface ValueSources {
  /** Paths of YAML files. */
  readonly files: readonly string[];
  /** `path.to.key=value`; a dot in a key is written `\.`. */
  readonly settings: readonly string[];
}

/**
 * The values of an installation.
 * @throws Error that names the file or the value, and what is wrong with it.
 */
export async function loadValues({ files, settings }: ValueSources): Promise<InstallValues> {
  let values = await readValues(new URL("values.yaml", chartDirectory));
  for (const file of files) values = merged(values, await readValues(file));
  for (const setting of settings) values = withSetting(values, setting);
  const checked = valuesSchema.safeParse(values);
  if (!checked.success) throw new Error(`the values are wrong:\n${z.prettifyError(checked.error)}`);
  return checked.data;
}

type Tree = Readonly<Record<string, unknown>>;

async function readValues(file: string | URL): Promise<Tree> {
  let value: unknown;
  try {
    const text = await readFile(file, "utf8");
    if (text.length > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
    value = parse(text, { maxAliasCount: 0 }) ?? {};
  } catch (error) {
    throw new Error(`values cannot be read from ${String(file)}`, { cause: error });
  }
  if (!isTree(value)) throw new Error(`${String(file)} holds no values: it is not a YAML mapping`);
  return value;
}

/** As helm does: mappings are merged, everything else is replaced, `null` removes. */
function merged(below: Tree, above: Tree): Tree {
  const result: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const old = result[key];
    if (value === null) delete result[key];
    else result[key] = isTree(value) && isTree(old) ? merged(old, value) : value;
  }
  return result;
}

function withSetting(values: Tree, setting: string): Tree {
  const [, path, text] = /^([^=]+)=(.*)$/s.exec(setting) ?? [];
  if (path === undefined || text === undefined)
    throw new Error(`${JSON.stringify(setting)} is not a setting: write path.to.key=value`);
  const keys = path.split(/(?<!\\)\./).map((key) => key.replaceAll("\\.", "."));
  const old = keys.reduce<unknown>((at, key) => (isTree(at) ? at[key] : undefined), values);
  // What has a default says which type it has; all else is text, as options of providers are.
  const value: unknown = old === undefined || typeof old === "string" ? text : parse(text);
  return merged(values, keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Tree);
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
