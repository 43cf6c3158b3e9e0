import { readFile, writeFile } from "node:fs/promises";
import type { Run } from "../virsh/run.ts";

/**
 * Adds to libvirt's test driver what it lacks and this provider uses: domains of other types than `test` and other
 * machines than its own, and the upload to a volume, whose bytes are kept here.
 */
export function fillTestDriver(real: Run): {
  readonly run: Run;
  readonly uploads: ReadonlyMap<string, Buffer>;
} {
  const uploads = new Map<string, Buffer>();
  const run: Run = async (program, args, options) => {
    if (program !== "virsh") return await real(program, args, options);
    if (args.includes("vol-upload")) {
      const before = args.slice(0, args.indexOf("vol-upload"));
      const [pool, volume, file] = ["--pool", "--vol", "--file"].map(
        (name) => args[args.indexOf(name) + 1] ?? "",
      );
      const found = await real(
        program,
        [...before, "vol-dumpxml", "--pool", pool ?? "", "--vol", volume ?? ""],
        options,
      );
      if (found.ok) uploads.set(volume ?? "", await readFile(file ?? ""));
      return { ...found, stdout: "" };
    }
    if (args.includes("create") || args.includes("define")) await useTestDomain(args.at(-1) ?? "");
    return await real(program, args, options);
  };
  return { run, uploads };
}

async function useTestDomain(file: string): Promise<void> {
  const xml = await readFile(file, "utf8");
  const own = xml
    .replace(/<domain type="(?:kvm|qemu)"/, '<domain type="test"')
    .replace(/<cpu mode="[^"]*"\/>/, "");
  await writeFile(file, own);
}
