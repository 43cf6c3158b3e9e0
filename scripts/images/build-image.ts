import { readFile, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { buildPrograms } from "../bundle/build-programs.ts";
import type { BundledProvider } from "../bundle/providers.ts";
import { debianFiles } from "./debian-files.ts";
import { programsOfProviders, readDefinition, type ImageDefinition } from "./definition.ts";
import { skeleton, type ImageEntry } from "./files.ts";
import { layerOf } from "./layer.ts";
import { writeOciLayout } from "./oci-layout.ts";

const packages = join(import.meta.dirname, "../../packages");
/** Prebuilt files that provider local takes by path, and where they are in the image. */
const GUEST_DIRECTORY = "app/guest";

export interface ImageOptions {
  readonly packageName: string;
  readonly providers: readonly BundledProvider[];
  readonly version: string;
  /** Where the OCI layout goes. */
  readonly directory: string;
}

/** Builds the image of a package without a container engine. The same inputs give the same digest. */
export async function buildImage({
  packageName,
  providers: chosen,
  version,
  directory,
}: ImageOptions): Promise<{
  readonly reference: string;
  readonly digest: string;
}> {
  const providers = chosen.map(({ name }) => name);
  const packageDirectory = join(packages, packageName);
  const definition = await readDefinition(packageDirectory);
  const served = providers.filter((name) => definition.providersWithPrograms.includes(name));
  const debian = await debianFiles({
    programs: [...definition.programs, ...served.flatMap((name) => programsOfProviders[name] ?? [])],
    libraries: [process.execPath],
    files: ["/etc/ssl/certs/ca-certificates.crt"],
  });
  const node: ImageEntry = { path: "usr/bin/node", mode: 0o755, content: await readFile(process.execPath) };
  const base = await layerOf([...skeleton, ...debian.entries, node]);
  const programs = await layerOf([
    ...(await ourPrograms(packageDirectory, definition, chosen)),
    ...(served.includes("local") ? await guestPrograms() : []),
  ]);
  const reference = `${definition.name}:${version}`;
  const digest = await writeOciLayout(directory, {
    reference,
    layers: [base, programs],
    config: imageConfig(definition, served),
    annotations: {
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.licenses": "Apache-2.0",
      "peerpods.node": process.version,
      "peerpods.debian": debian.packages.join(" "),
      "peerpods.providers": providers.join(","),
    },
  });
  return { reference, digest };
}

function imageConfig({ user, entrypoint, env }: ImageDefinition, served: readonly string[]) {
  // The root is read-only; the state directory is the node's.
  const local = served.includes("local")
    ? { LOCAL_GUEST_DIR: `/${GUEST_DIRECTORY}`, LOCAL_CACHE_DIR: "/var/lib/peerpods/cache" }
    : {};
  const all = { PATH: "/usr/local/bin:/usr/sbin:/usr/bin", NODE_ENV: "production", ...env, ...local };
  return {
    User: user,
    Entrypoint: entrypoint,
    Env: Object.entries(all).map(([key, value]) => `${key}=${value}`),
    WorkingDir: "/",
    StopSignal: "SIGTERM",
  };
}

/** The bundles, executable under their names. */
async function ourPrograms(
  packageDirectory: string,
  { bundles }: ImageDefinition,
  providers: readonly BundledProvider[],
): Promise<readonly ImageEntry[]> {
  const programs = Object.entries(bundles).map(([name, file]) => ({
    name,
    source: join(packageDirectory, file),
  }));
  const root = join(packages, "..");
  const { outputFiles } = await buildPrograms(programs, { root, providers, sourcemap: false });
  return outputFiles.flatMap(({ path, text }): readonly ImageEntry[] => {
    const name = basename(path, ".mjs");
    // Nothing but Node is sure to be in the image.
    const content = Buffer.from(text.replace(/^#![^\n]*/, "#!/usr/bin/node"));
    return [
      { path: `app/${name}.mjs`, mode: 0o755, content },
      { path: `usr/local/bin/${name}`, target: `/app/${name}.mjs` },
    ];
  });
}

/** What runs in pod VMs of provider local. @throws Error when it has not been built. */
async function guestPrograms(): Promise<readonly ImageEntry[]> {
  const entries: ImageEntry[] = [{ path: GUEST_DIRECTORY, mode: 0o755, directory: true }];
  for (const name of ["podvm", "dev-agent"]) {
    const bundle = join(packages, name, "bundle");
    for (const file of (await readdir(bundle)).filter((file) => file.endsWith(".mjs")).toSorted())
      entries.push({
        path: `${GUEST_DIRECTORY}/${file}`,
        mode: 0o755,
        content: await readFile(join(bundle, file)),
      });
  }
  return entries;
}
