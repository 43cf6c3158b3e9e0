import { open } from "node:fs/promises";
import { join } from "node:path";

/** What an image says about how to run it (OCI image specification, "config"). */
export interface ImageCommand {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
}

/** Manifests and configurations are small; what is larger is not one. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Reads the command from an OCI layout that umoci has already unpacked. Members of a wrong type count as absent: who
 * needs a command that is not there gets an error of its own.
 * @throws Error when the layout has no such tag, or a blob is missing.
 */
export async function readImageCommand(layout: { directory: string; tag: string }): Promise<ImageCommand> {
  const index = await readJson(join(layout.directory, "index.json"));
  const manifests = list(index["manifests"]).map(record);
  const entry = manifests.find(
    (manifest) => record(manifest["annotations"])["org.opencontainers.image.ref.name"] === layout.tag,
  );
  const manifest = await readBlob(layout.directory, entry?.["digest"]);
  const image = await readBlob(layout.directory, record(manifest["config"])["digest"]);
  const config = record(image["config"]);
  const cwd = config["WorkingDir"];
  return {
    args: [...strings(config["Entrypoint"]), ...strings(config["Cmd"])],
    env: strings(config["Env"]),
    cwd: typeof cwd === "string" && cwd !== "" ? cwd : "/",
  };
}

async function readBlob(directory: string, digest: unknown): Promise<Record<string, unknown>> {
  // It becomes a path.
  const match = typeof digest === "string" ? /^(sha256|sha512):([0-9a-f]{64,128})$/.exec(digest) : null;
  if (match === null) throw new Error(`${directory} refers to ${JSON.stringify(digest)}, which is no digest`);
  const [, algorithm = "", hex = ""] = match;
  return readJson(join(directory, "blobs", algorithm, hex));
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  await using file = await open(path);
  const { size } = await file.stat();
  if (size > MAX_BYTES) throw new Error(`${path} is too large: ${size} bytes, at most ${MAX_BYTES}`);
  return record(JSON.parse(await file.readFile("utf8")));
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function strings(value: unknown): string[] {
  return list(value).filter((item) => typeof item === "string");
}
