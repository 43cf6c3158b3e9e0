/**
 * Builds the images of both programs as OCI layouts, without a container engine:
 *
 * PROVIDERS=aws,libvirt node scripts/build-images.ts [directory]   ->   <directory>/cloud-api-adaptor, <directory>/peerpod-ctrl
 *
 * They hold this Node, our bundles, and the few files of Debian that these need. Copy one to a registry with
 * skopeo copy oci:<directory>/peerpod-ctrl docker://<registry>/peerpods/peerpod-ctrl:<tag>.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { chooseProviders } from "./bundle/providers.ts";
import { buildImage } from "./images/build-image.ts";
import { readWorkspace } from "./release/facts/workspace.ts";

const out = process.argv[2] ?? "images";
const workspace = await readWorkspace(join(import.meta.dirname, ".."));
const providers = chooseProviders(workspace, process.env["PROVIDERS"] ?? "aws");
for (const packageName of ["cloud-api-adaptor", "peerpod-ctrl"]) {
  const manifest = await readFile(
    join(import.meta.dirname, "../packages", packageName, "package.json"),
    "utf8",
  );
  const { version } = JSON.parse(manifest) as { version: string };
  const directory = join(out, packageName);
  const { reference, digest } = await buildImage({ packageName, providers, version, directory });
  process.stdout.write(`${reference}  ${digest}  oci:${directory}\n`);
}
