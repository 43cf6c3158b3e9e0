import { access } from "node:fs/promises";
import { basename } from "node:path";
import { ImageError } from "./image.ts";
import type { Run } from "./run.ts";

/** Programs of this machine that the image gets, and the Debian package of each. Of alternatives the first one there is. */
const wanted: readonly (readonly [names: readonly string[], debianPackage: string])[] = [
  [["busybox"], "busybox-static"],
  [["ip"], "iproute2"],
  [["nft"], "nftables"],
  [["crun", "runc"], "crun"],
  [["skopeo"], "skopeo"],
  [["umoci"], "umoci"],
  [["mount"], "mount"],
  [["umount"], "mount"],
  [["script"], "bsdutils"],
  [["unshare"], "util-linux"],
  [["nsenter"], "util-linux"],
];

const searchPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * Where the programs of the image are on this machine, by name; Node is the one that runs us.
 * @throws ImageError that names every missing one and its package.
 */
export async function findPrograms(): Promise<ReadonlyMap<string, string>> {
  const found = new Map([["node", process.execPath]]);
  const missing: string[] = [];
  for (const [names, debianPackage] of wanted) {
    const hit = await firstFound(names);
    if (hit === undefined) missing.push(debianPackage);
    else found.set(basename(hit), hit);
  }
  if (missing.length === 0) return found;
  const packages = [...new Set(missing)].join(" ");
  throw new ImageError(`the image needs programs that this machine lacks: apt-get install ${packages}`);
}

/** Shared libraries and loaders of programs, by `ldd`: path on this machine. */
export async function findLibraries(programs: readonly string[], run: Run): Promise<readonly string[]> {
  // ldd ends with 1 when one of the programs is static, and lists the others all the same.
  const output = await run("ldd", programs, { alsoAccept: [1] });
  const missing = /^\s+(\S+) => not found/m.exec(output)?.[1];
  if (missing !== undefined) throw new ImageError(`the shared library ${missing} is not on this machine`);
  const paths = [...output.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)/gm)].map(
    ([, path = ""]) => path,
  );
  return [...new Set(paths)].toSorted();
}

async function firstFound(names: readonly string[]): Promise<string | undefined> {
  for (const name of names)
    for (const directory of searchPath) {
      const path = `${directory}/${name}`;
      const exists = await access(path).then(
        () => true,
        () => false,
      );
      if (exists) return path;
    }
  return undefined;
}
