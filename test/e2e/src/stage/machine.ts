import { readFile, readdir } from "node:fs/promises";
import { execa } from "execa";

/** What a pod VM, its tunnel and its container could leave behind, each as a list of names. */
export interface MachineState {
  readonly processes: readonly string[];
  readonly namespaces: readonly string[];
  readonly links: readonly string[];
  readonly rules: readonly string[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
}

/** Our programs and the container runtimes below them, by what stands first on their command line. */
const programs =
  /\/cloud-api-adaptor\/(dist|bundle)\/|\/(agent-protocol-forwarder|process-user-data|dev-agent)\.mjs|(^|\/)(kata-agent|crun|runc)$/;

/** Looks at this machine. Names are stable between two looks, so a difference is a leftover. */
export async function machineState(): Promise<MachineState> {
  const [processes, namespaces, links, rules, mounts, cgroups] = await Promise.all([
    processNames(),
    readdir("/run/netns").catch(() => []),
    execa("ip", ["-o", "link"]).then((r) =>
      r.stdout.split("\n").map((line) => line.split(": ")[1]?.split("@")[0] ?? line),
    ),
    execa("nft", ["list", "ruleset"], { reject: false }).then((r) =>
      r.stdout.split("\n").filter((line) => line !== ""),
    ),
    readFile("/proc/self/mountinfo", "utf8").then((text) =>
      text.split("\n").flatMap((line) => line.split(" ").slice(4, 5)),
    ),
    cgroupPaths(),
  ]);
  return { processes, namespaces, links, rules, mounts, cgroups };
}

/** What was left, by kind; kinds of which nothing was left are absent. */
export type Leftovers = Partial<Record<keyof MachineState, string[]>>;

/**
 * Names in `after` that were not in `before`. Other people's things come and go meanwhile, so a name counts only when it
 * carries one of `marks`.
 */
export function leftovers(before: MachineState, after: MachineState, marks: readonly string[]): Leftovers {
  return difference(before, after, (name) => marks.some((mark) => name.includes(mark)));
}

/**
 * The same whoever made them, for a machine on which nobody else makes network namespaces; mounts and rules are left out as
 * too common. Cgroups count by our name: every service, mount and login of the machine has some.
 */
export function leftoversOfAnybody(before: MachineState, after: MachineState): Leftovers {
  const { processes, namespaces, links } = difference(before, after, () => true);
  const { cgroups } = difference(before, after, (name) => name.includes("peerpods"));
  return Object.fromEntries(
    Object.entries({ processes, namespaces, links, cgroups }).filter(([, names]) => names !== undefined),
  );
}

function difference(before: MachineState, after: MachineState, counts: (name: string) => boolean): Leftovers {
  const found: Leftovers = {};
  for (const kind of Object.keys(before) as (keyof MachineState)[]) {
    const known = [...before[kind]];
    const extra = after[kind].filter((name) => {
      if (!counts(name)) return false;
      const index = known.indexOf(name);
      if (index === -1) return true;
      known.splice(index, 1);
      return false;
    });
    if (extra.length > 0) found[kind] = extra;
  }
  return found;
}

async function processNames(): Promise<string[]> {
  const names: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    const [program = "", script = ""] = command.split("\0");
    if (programs.test(program) || programs.test(script))
      names.push(`${pid} ${command.replaceAll("\0", " ").trim().slice(0, 100)}`);
  }
  return names;
}

async function cgroupPaths(): Promise<string[]> {
  const { stdout } = await execa(
    "find",
    ["/sys/fs/cgroup", "-mindepth", "1", "-maxdepth", "4", "-type", "d"],
    {
      reject: false,
    },
  );
  return stdout.split("\n").filter((path) => path !== "");
}
