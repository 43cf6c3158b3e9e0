import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Writes an OCI layout without layers whose image, tag `1`, has this configuration document. */
export async function writeLayout(directory: string, image: object): Promise<void> {
  await mkdir(join(directory, "blobs", "sha256"), { recursive: true });
  const put = async (content: object) => {
    const text = JSON.stringify(content);
    const hex = createHash("sha256").update(text).digest("hex");
    await writeFile(join(directory, "blobs", "sha256", hex), text);
    return `sha256:${hex}`;
  };
  const config = { digest: await put(image) };
  const digest = await put({ config, layers: [] });
  const annotations = { "org.opencontainers.image.ref.name": "1" };
  await writeFile(join(directory, "index.json"), JSON.stringify({ manifests: [{ digest, annotations }] }));
  await writeFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
}
