import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { missingGo, startProcess, type RunningProcess } from "@peerpods/test-harness";
import { runcBinary } from "@peerpods/test-cluster";
import { execa } from "execa";

/** Why no image can be run here, or `undefined`. */
export async function missingForImages(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "needs root";
  const { exitCode } = await execa("cc", ["--version"], { reject: false });
  if (exitCode !== 0) return "needs a C compiler, for runc: install gcc and libc6-dev";
  return await missingGo();
}

/** How a pod of our manifests runs an image. */
export interface ContainerOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Host directory -> place in the container. */
  readonly mounts?: Readonly<Record<string, string>>;
  readonly capabilities?: readonly string[];
}

/** An image unpacked on disk, from which containers with a read-only root in the host's network are run. */
export interface UnpackedImage {
  /** Entrypoint of the image. */
  readonly entrypoint: readonly string[];
  readonly user: { readonly uid: number; readonly gid: number };
  readonly run: (
    name: string,
    options: ContainerOptions,
  ) => Promise<RunningProcess & { log(): Promise<string> }>;
}

/** @param layout directory of an OCI layout with one image. @param directory where it is unpacked; it must be new. */
export async function unpackImage(layout: string, tag: string, directory: string): Promise<UnpackedImage> {
  await execa("umoci", ["unpack", "--image", `${layout}:${tag}`, directory]);
  const original = JSON.parse(await readFile(join(directory, "config.json"), "utf8")) as Spec;
  return {
    entrypoint: original.process.args,
    user: original.process.user,
    async run(name, options) {
      // A bundle of its own, since several containers of one image may be starting.
      const bundle = join(directory, "bundles", name);
      await mkdir(bundle, { recursive: true });
      const spec = specFor(original, { ...options, root: join(directory, "rootfs") });
      await writeFile(join(bundle, "config.json"), JSON.stringify(spec));
      const runc = join(await runcBinary(), "runc");
      const logFile = join(directory, `${name}.log`);
      const root = join(directory, "state");
      const running = await startProcess(
        runc,
        ["--root", root, "run", "--bundle", bundle, `peerpods-test-${name}-${process.pid}`],
        { logFile },
      );
      return { ...running, log: () => readFile(logFile, "utf8") };
    },
  };
}

interface Spec {
  readonly process: {
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly user: { readonly uid: number; readonly gid: number };
  };
  readonly mounts: readonly object[];
  readonly linux: { readonly namespaces: readonly { readonly type: string }[] };
}

function specFor(
  spec: Spec,
  { root, args, env = {}, mounts = {}, capabilities = [] }: ContainerOptions & { readonly root: string },
): object {
  return {
    ...spec,
    root: { path: root, readonly: true },
    process: {
      ...spec.process,
      terminal: false,
      args,
      env: [...spec.process.env, ...Object.entries(env).map(([key, value]) => `${key}=${value}`)],
      noNewPrivileges: true,
      capabilities: Object.fromEntries(
        ["bounding", "effective", "permitted"].map((set) => [set, capabilities]),
      ),
    },
    mounts: [
      ...spec.mounts,
      { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["mode=1777"] },
      ...Object.entries(mounts).map(([source, destination]) => ({
        destination,
        type: "bind",
        source,
        options: ["rbind", "rw"],
      })),
    ],
    linux: {
      ...spec.linux,
      namespaces: spec.linux.namespaces.filter(({ type }) => type !== "network"),
    },
  };
}
