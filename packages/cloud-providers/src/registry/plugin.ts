import { createHash } from "node:crypto";
import { mkdtemp, open, realpath, rm, stat, writeFile, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ProviderError } from "../errors.ts";

/** The three environment variables that name a plug-in file; their names are those of the reference. */
export const pluginEnv = {
  enable: "ENABLE_CLOUD_PROVIDER_EXTERNAL_PLUGIN",
  path: "CLOUD_PROVIDER_EXTERNAL_PLUGIN_PATH",
  hash: "CLOUD_PROVIDER_EXTERNAL_PLUGIN_HASH",
} as const;

/** A self-contained bundle has no reason to be larger, and it is read whole. */
const MAX_PLUGIN_BYTES = 64 * 1024 * 1024;
const OTHERS_MAY_WRITE = 0o022;

/** A plug-in file and what it must hash to. */
export interface PluginSetting {
  readonly path: string;
  /** SHA-256, 64 lower-case hex digits. */
  readonly sha256: string;
}

/**
 * What the environment says about a plug-in; `undefined` unless it is switched on with exactly `true`.
 * @throws ProviderError `invalid_config` when it is switched on without a usable path or hash.
 */
export function pluginSetting(env: Readonly<Record<string, string | undefined>>): PluginSetting | undefined {
  if (env[pluginEnv.enable] !== "true") return undefined;
  const path = env[pluginEnv.path] ?? "";
  const sha256 = env[pluginEnv.hash] ?? "";
  const problems: string[] = [];
  if (!isAbsolute(path)) problems.push(`${pluginEnv.path}: must be the absolute path of the plug-in file`);
  if (!/^[0-9a-f]{64}$/.test(sha256))
    problems.push(
      `${pluginEnv.hash}: must be its SHA-256 as 64 lower-case hex digits, as sha256sum prints it`,
    );
  if (problems.length > 0) throw new ProviderError("invalid_config", problems.join("\n"));
  return { path, sha256 };
}

/**
 * Imports the plug-in file of the provider `name` and returns the module.
 *
 * The file is one self-contained ESM bundle `<name>.mjs`. It is opened once, and the very bytes that were hashed are run:
 * they are written to a private directory and imported from there, so a file that is replaced meanwhile changes nothing.
 * @throws ProviderError `plugin_refused` naming the file, what is wrong with it and what to do.
 */
export async function importPlugin(name: string, { path, sha256 }: PluginSetting): Promise<unknown> {
  if (basename(path) !== `${name}.mjs`)
    throw refused(path, `the plug-in of provider ${name} must be named ${name}.mjs`);
  const bytes = await readChecked(path);
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual !== sha256)
    throw refused(path, `its SHA-256 is ${actual}, but ${pluginEnv.hash} says ${sha256}; was it changed?`);
  return await importBytes(name, { path, bytes });
}

async function readChecked(path: string): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    const real = await realpath(path);
    const directory = dirname(real);
    if (((await stat(directory)).mode & OTHERS_MAY_WRITE) !== 0)
      throw refused(path, `others may write to its directory; run chmod go-w ${directory}`);
    file = await open(real);
    const { mode, size, uid } = await file.stat();
    if ((mode & OTHERS_MAY_WRITE) !== 0) throw refused(path, `others may write it; run chmod go-w ${real}`);
    if (uid !== 0 && uid !== process.geteuid?.())
      throw refused(path, `it belongs to user ${uid}; give it to root or to the user of this process`);
    if (size > MAX_PLUGIN_BYTES) throw refused(path, `it has ${size} bytes, over ${MAX_PLUGIN_BYTES}`);
    return await file.readFile();
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    throw refused(path, "it cannot be read; is the plug-in folder mounted?", error);
  } finally {
    await file?.close();
  }
}

async function importBytes(
  name: string,
  { path, bytes }: { readonly path: string; readonly bytes: Buffer },
): Promise<unknown> {
  // mkdtemp makes the directory with mode 0700.
  const directory = await mkdtemp(join(tmpdir(), "peerpods-plugin-"));
  try {
    const copy = join(directory, `${name}.mjs`);
    await writeFile(copy, bytes, { mode: 0o600, flag: "wx" });
    return await import(pathToFileURL(copy).href);
  } catch (error) {
    throw refused(path, "it cannot be imported; it must be one self-contained ESM bundle", error);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function refused(path: string, why: string, cause?: unknown): ProviderError {
  return new ProviderError("plugin_refused", `plug-in ${path}: ${why}`, { cause });
}
