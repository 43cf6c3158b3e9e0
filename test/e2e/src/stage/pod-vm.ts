import { readFile, readdir } from "node:fs/promises";
import { execa } from "execa";

/** A pod VM of provider-local seen from its host: what no container in it can see. */
export interface PodVMView {
  /** Processes as `<pid in the VM> <command>`. */
  processes(): Promise<readonly string[]>;
  /** Text of a file in the VM. */
  file(path: string): Promise<string>;
}

/** Finds the VM's first process by its cgroup, which is named after the instance. */
export async function podVM(instanceId: string): Promise<PodVMView> {
  const pids = await pidsOfInstance(instanceId);
  const [init] = pids;
  if (init === undefined) throw new Error(`no process of instance ${instanceId} on this machine`);
  return {
    async processes() {
      const lines = await Promise.all(
        (await pidsOfInstance(instanceId)).map(async (pid) => {
          const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
          // Two numbers or more: here and in the VM. Its own first number is that of a process outside of it.
          const inside = /^NSpid:\t\d+\t.*?(\d+)$/m.exec(status)?.[1];
          const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
          return inside === undefined || command === ""
            ? []
            : [[Number(inside), shortened(command)] as const];
        }),
      );
      return lines
        .flat()
        .toSorted(([a], [b]) => a - b)
        .map(([pid, command]) => `${pid} ${command}`);
    },
    async file(path) {
      const { stdout } = await execa("nsenter", ["--target", String(init), "--mount", "cat", path]);
      return stdout;
    },
  };
}

/** Process ids in the VM's cgroup and below, ascending. */
async function pidsOfInstance(instanceId: string): Promise<number[]> {
  const suffix = instanceId.replace(/^local-/, "");
  const { stdout } = await execa("find", ["/sys/fs/cgroup", "-type", "d", "-path", `*peerpods-*${suffix}*`], {
    reject: false,
  });
  const pids = new Set<number>();
  for (const directory of stdout.split("\n").filter((line) => line !== "")) {
    const text = await readFile(`${directory}/cgroup.procs`, "utf8").catch(() => "");
    for (const pid of text.split("\n")) if (pid !== "") pids.add(Number(pid));
  }
  const alive = new Set(await readdir("/proc"));
  return [...pids].filter((pid) => alive.has(String(pid))).toSorted((a, b) => a - b);
}

/** Program and script by their file names, arguments as they are, one line. */
function shortened(commandLine: string): string {
  const [program = "", script = "", ...rest] = commandLine.split("\0");
  const name = (path: string): string =>
    path.startsWith("/") ? path.slice(path.lastIndexOf("/") + 1) : path;
  return [name(program), name(script), ...rest].join(" ").replaceAll(/\s+/g, " ").trim().slice(0, 72);
}
