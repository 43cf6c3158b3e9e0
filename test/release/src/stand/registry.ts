import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { once } from "node:events";
import { execa } from "execa";

/** A registry of its own on loopback. What it does not have it asks the registry of the npm configuration for. */
export interface Registry extends AsyncDisposable {
  /** With a slash at its end. */
  readonly address: string;
  /** Versions of a package, in the order of publication. */
  versions(name: string): Promise<readonly string[]>;
  distTags(name: string): Promise<Record<string, string>>;
}

export interface RegistryOptions {
  /** Where it keeps what is published; another registry on the same directory has the same packages. */
  readonly dir: string;
  /** Packages that nobody may publish. */
  readonly denied?: readonly string[];
  /** Default: a free one. */
  readonly port?: number;
}

/** Starts Verdaccio as a process of its own. */
export async function startRegistry({ dir, denied = [], port = 0 }: RegistryOptions): Promise<Registry> {
  await mkdir(dir, { recursive: true });
  const { stdout: upstream } = await execa("npm", ["config", "get", "registry"], { cwd: "/" });
  const open = { access: "$all", publish: "$all" };
  const config = join(dir, "verdaccio.json");
  await writeFile(
    config,
    JSON.stringify({
      self_path: dir,
      storage: join(dir, "packages"),
      auth: { htpasswd: { file: join(dir, "htpasswd") } },
      uplinks: { upstream: { url: upstream, maxage: "60m" } },
      packages: {
        ...Object.fromEntries(denied.map((name) => [name, { access: "$all", publish: "nobody" }])),
        "@peerpods/*": open,
        "**": { access: "$all", proxy: "upstream" },
      },
      log: { type: "file", path: join(dir, "verdaccio.log"), format: "json", level: "warn" },
      max_body_size: "50mb",
      web: { enable: false },
    }),
  );
  const child = execa(process.execPath, [join(import.meta.dirname, "verdaccio.ts"), config, String(port)], {
    stdin: "pipe",
    buffer: false,
    reject: false,
    // The programs under test have switches of their own.
    env: { NODE_OPTIONS: "" },
  });
  const [chunk] = (await Promise.race([
    once(child.stdout, "data"),
    child.then(({ exitCode }) => {
      throw new Error(`Verdaccio ended with ${exitCode}; see ${dir}/verdaccio.log`);
    }),
  ])) as [Buffer];
  const address = `http://127.0.0.1:${chunk.toString().trim()}/`;
  const packument = async (name: string) => {
    const response = await fetch(`${address}${name.replace("/", "%2f")}`);
    if (response.status === 404) return { versions: {}, "dist-tags": {} };
    return (await response.json()) as { versions: object; "dist-tags": Record<string, string> };
  };
  return {
    address,
    versions: async (name) => Object.keys((await packument(name)).versions),
    distTags: async (name) => (await packument(name))["dist-tags"],
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await child;
    },
  };
}
