import { parseDocument } from "yaml";
import * as z from "zod";
import { UserDataError } from "./errors.ts";

/** Greatest user data that is read, in bytes. Clouds allow 16 KiB to 256 KiB; a volume may hold more. */
export const MAX_USER_DATA_BYTES = 2 << 20;

/** More entries than the allow-list has paths, many times over. */
const MAX_FILES = 64;

/** One entry of `write_files`. */
export interface CloudConfigFile {
  readonly path: string;
  readonly content: string;
}

const fileSchema = z.strictObject({ path: z.string().min(1), content: z.string().default("") });

// Every scalar is text (see `failsafe` below), and an empty value is the empty text.
const emptyAs = (empty: unknown) => (value: unknown) => (value === "" ? empty : value);
const cloudConfigSchema = z.preprocess(
  emptyAs({}),
  z.strictObject({ write_files: z.preprocess(emptyAs([]), z.array(fileSchema).max(MAX_FILES)).default([]) }),
);

/**
 * Reads a cloud-config document: `write_files` with `path` and `content`, and nothing else. Any other key, a key given
 * twice, an alias, a second document is an error; an empty document is valid. Of entries with one path the last counts.
 * @throws UserDataError `too_large` or `invalid_user_data`, naming every wrong key.
 */
export function parseCloudConfig(bytes: Uint8Array): readonly CloudConfigFile[] {
  if (bytes.byteLength > MAX_USER_DATA_BYTES) {
    throw new UserDataError(
      "too_large",
      `user data has ${bytes.byteLength} bytes, at most ${MAX_USER_DATA_BYTES} are read`,
    );
  }
  const result = cloudConfigSchema.safeParse(parseYaml(decodeText(bytes)));
  if (!result.success) throw invalid(z.prettifyError(result.error));
  const files = new Map(result.data.write_files.map((file) => [file.path, file]));
  return [...files.values()];
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalid("it is not UTF-8 text");
  }
}

function parseYaml(text: string): unknown {
  const document = parseDocument(text, {
    schema: "failsafe",
    strict: true,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: "error",
  });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw invalid(`${problem.code} at character ${problem.pos[0]}`);
  try {
    return document.toJS({ maxAliasCount: 0 }) ?? "";
  } catch {
    throw invalid("aliases are not allowed");
  }
}

function invalid(reason: string): UserDataError {
  return new UserDataError("invalid_user_data", `user data is not a valid cloud-config document: ${reason}`);
}
