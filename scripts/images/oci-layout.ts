import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256, type Layer } from "./layer.ts";

export interface OciImage {
  /** Name and tag by which the layout's index calls it. */
  readonly reference: string;
  readonly layers: readonly Layer[];
  /** The `config` object of the OCI image configuration. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Writes an image as an OCI layout (image-layout 1.0.0), which skopeo, umoci and containerd read. The directory is replaced.
 * @returns the manifest's digest.
 */
export async function writeOciLayout(directory: string, image: OciImage): Promise<string> {
  await rm(directory, { recursive: true, force: true });
  const blobs = join(directory, "blobs/sha256");
  await mkdir(blobs, { recursive: true });

  async function blob(mediaType: string, data: Buffer) {
    const digest = sha256(data);
    await writeFile(join(blobs, digest.slice("sha256:".length)), data);
    return { mediaType, digest, size: data.length };
  }
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));

  const config = await blob(
    "application/vnd.oci.image.config.v1+json",
    json({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: image.config,
      rootfs: { type: "layers", diff_ids: image.layers.map(({ diffId }) => diffId) },
    }),
  );
  const layers = [];
  for (const layer of image.layers)
    layers.push(await blob("application/vnd.oci.image.layer.v1.tar+gzip", layer.blob));
  const manifest = await blob(
    "application/vnd.oci.image.manifest.v1+json",
    json({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config,
      layers,
      annotations: image.annotations,
    }),
  );
  const [, tag = "latest"] = /:([^:/]+)$/.exec(image.reference) ?? [];
  const annotations = {
    "org.opencontainers.image.ref.name": tag,
    "io.containerd.image.name": image.reference,
  };
  await writeFile(
    join(directory, "index.json"),
    json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  await writeFile(join(directory, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
  return manifest.digest;
}
