import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readControl } from "./files.ts";
import type { Hierarchies } from "./hierarchies.ts";

/**
 * Makes the top of a unified hierarchy fit for containers: a cgroup cannot have processes and hand controllers to
 * children, unless it is the machine's very root. In a VM whose top is a cgroup namespace of another machine, the
 * processes that are there (the agent among them) move into a child.
 */
export async function prepareUnifiedRoot(hierarchies: Hierarchies): Promise<void> {
  if (hierarchies.version === 1 || (await isMachineRoot(hierarchies.root))) return;
  const listed = (await readControl(hierarchies.root, "cgroup.procs"))?.split("\n") ?? [];
  // A process of an outer pid namespace shows up as 0, which the kernel would take for the writer.
  const members = listed.filter((pid) => Number(pid) > 0);
  if (members.length === 0) return;
  const child = join(hierarchies.root, "guest");
  await mkdir(child, { recursive: true });
  for (const pid of members)
    await writeFile(join(child, "cgroup.procs"), pid).catch((error: NodeJS.ErrnoException) => {
      // It has ended meanwhile.
      if (error.code !== "ESRCH") throw error;
    });
}

/** Only the machine's root has no events of its own. */
function isMachineRoot(root: string): Promise<boolean> {
  return access(join(root, "cgroup.events")).then(
    () => false,
    () => true,
  );
}
