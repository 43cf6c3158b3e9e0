import { constants } from "node:fs";
import { access, chmod, copyFile, cp, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ImageRecipe } from "./image.ts";
import { initScript, leaseScript } from "./init-script.ts";
import { findLibraries } from "./programs.ts";
import type { Run } from "./run.ts";

const programDirectory = "usr/lib/peerpods";
const imageDirectory = "usr/share/peerpod-images";
const caBundle = "etc/ssl/certs/ca-certificates.crt";

/** One directory for all programs and one for all libraries, under every name that programs know them by. */
const links = {
  bin: "usr/bin",
  sbin: "usr/bin",
  "usr/sbin": "bin",
  lib: "usr/lib",
  lib64: "usr/lib64",
  "var/run": "../run",
  "etc/mtab": "../proc/self/mounts",
};

const directories =
  "dev etc media/cidata proc root run sys tmp usr/bin usr/lib64 var/lib var/log/peerpods var/tmp".split(" ");

const texts = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
  "etc/group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
  "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
};

/** What the root of the system is made from. */
export interface RootParts {
  readonly recipe: ImageRecipe;
  readonly version: string;
  /** Paths of programs of this machine by name. */
  readonly programs: ReadonlyMap<string, string>;
  readonly run: Run;
}

/** Writes the system of a pod VM into an empty directory. */
export async function writeRoot(root: string, { recipe, version, programs, run }: RootParts): Promise<void> {
  for (const directory of directories) await mkdir(join(root, directory), { recursive: true });
  for (const [path, to] of Object.entries(links)) await symlink(to, join(root, path));
  const osRelease = `ID=peerpods\nNAME="Peer Pods"\nPRETTY_NAME="Peer Pods pod VM"\nIMAGE_VERSION=${version}\n`;
  for (const [path, text] of Object.entries({ ...texts, "etc/os-release": osRelease }))
    await writeFile(join(root, path), text);
  await copyPrograms(root, { programs, run });
  await copyGuest(root, recipe);
  if (recipe.images !== "") await cp(recipe.images, join(root, imageDirectory), { recursive: true });
}

async function copyPrograms(
  root: string,
  { programs, run }: Pick<RootParts, "programs" | "run">,
): Promise<void> {
  for (const [name, path] of programs) await copyFile(path, join(root, "usr/bin", name));
  await strip(join(root, "usr/bin/node"), run);
  for (const path of await findLibraries([...programs.values()], run))
    await copyTo(root, libraryTarget(path), path);
  const isThere = await access(`/${caBundle}`).then(
    () => true,
    () => false,
  );
  if (isThere) await copyTo(root, caBundle, `/${caBundle}`);
  const applets = await run(programs.get("busybox") ?? "busybox", ["--list"]);
  for (const applet of applets.split("\n"))
    if (applet !== "" && !programs.has(applet)) await symlink("busybox", join(root, "usr/bin", applet));
}

async function copyGuest(root: string, { guestDirectory, agent }: ImageRecipe): Promise<void> {
  const guestFiles = ["process-user-data.mjs", "agent-protocol-forwarder.mjs"];
  for (const name of guestFiles)
    await copyTo(root, `${programDirectory}/${name}`, join(guestDirectory, name));
  await copyTo(root, `${programDirectory}/dev-agent.mjs`, agent);
  for (const [name, script] of [
    ["init", initScript],
    ["lease", leaseScript],
  ] as const) {
    await writeFile(join(root, programDirectory, name), script);
    await chmod(join(root, programDirectory, name), 0o755);
  }
}

/** Symbols are a sixth of Node. Without `strip` the image is that much larger. */
async function strip(file: string, run: Run): Promise<void> {
  const stripped = `${file}.stripped`;
  try {
    await run("strip", ["-o", stripped, file]);
    await copyFile(stripped, file);
  } catch {
    // Not every machine has it.
  } finally {
    await rm(stripped, { force: true });
  }
}

/** /lib is /usr/lib in the VM. A library from an unusual place goes where every loader looks. */
function libraryTarget(path: string): string {
  if (/^\/usr\/lib[^/]*\//.test(path)) return path;
  return /^\/lib[^/]*\//.test(path) ? `/usr${path}` : `/usr/lib/${basename(path)}`;
}

async function copyTo(root: string, target: string, source: string): Promise<void> {
  await mkdir(dirname(join(root, target)), { recursive: true });
  await copyFile(source, join(root, target), constants.COPYFILE_FICLONE);
}
