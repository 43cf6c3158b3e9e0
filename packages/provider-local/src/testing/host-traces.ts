import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cgroupMounts, parseCgroupLayout } from "../cgroup/layout.ts";
import { stateKey } from "../instance/identity.ts";

/** What the instances of one state directory have on this machine, by kind. Other processes' things do not count. */
export interface HostTraces {
  readonly processes: readonly string[];
  readonly links: readonly string[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly tables: readonly string[];
  /** Below the state directory, without its three fixed directories. */
  readonly files: readonly string[];
}

/** What must be left when every instance is deleted. */
export const noTraces: HostTraces = {
  processes: [],
  links: [],
  mounts: [],
  cgroups: [],
  tables: [],
  files: [],
};

/** Looks all over the machine. Network namespaces need no look of their own: processes and mounts hold them. */
export async function hostTraces(stateDirectory: string, bridge: string): Promise<HostTraces> {
  const key = stateKey(stateDirectory);
  const [pids, links, cgroups, tables, files] = await Promise.all([
    readdir("/proc").then((names) => names.filter((name) => /^\d+$/.test(name))),
    readdir("/sys/class/net"),
    cgroupsNamed(`peerpods-local-${key}`),
    execa("nft", ["list", "tables"]).then(({ stdout }) => stdout.split("\n")),
    readdir(stateDirectory, { recursive: true }),
  ]);
  const looks = await Promise.all(pids.map((pid) => lookAt(pid, key, stateDirectory)));
  return {
    processes: looks.flatMap((look) => look.process),
    mounts: [...new Set(looks.flatMap((look) => look.mounts))],
    links: links.filter((name) => name === bridge || name.startsWith(`pl${key}`)),
    cgroups,
    tables: tables.filter((name) => name.includes(bridge)),
    files: files.filter((name) => !["instances", "leases", "locks"].includes(name)),
  };
}

async function lookAt(pid: string, key: string, stateDirectory: string) {
  const read = async (file: string) => await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
  const [status, cgroup, environment, mountInfo] = await Promise.all([
    read("status"),
    read("cgroup"),
    read("environ"),
    read("mountinfo"),
  ]);
  // A zombie has given everything back; that it is listed is its parent's doing.
  const isZombie = /^State:\tZ/m.test(status);
  const isOurs = !isZombie && (cgroup.includes(`local-${key}`) || environment.includes(`${stateDirectory}/`));
  return {
    process: isOurs ? [`${pid} ${/^Name:\t(.*)$/m.exec(status)?.[1]}`] : [],
    mounts: mountInfo.split("\n").filter((line) => line.includes(stateDirectory)),
  };
}

async function cgroupsNamed(prefix: string): Promise<string[]> {
  const layout = parseCgroupLayout(await readFile("/proc/self/mountinfo", "utf8"));
  const found = await Promise.all(
    cgroupMounts(layout).map(async (mount) =>
      (await readdir(mount)).filter((name) => name.startsWith(prefix)).map((name) => join(mount, name)),
    ),
  );
  return found.flat();
}
