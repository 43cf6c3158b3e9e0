import { normalize } from "node:path";
import { invalidArgument } from "../errors.ts";

/**
 * The path of a container's cgroup in the file system. The worker may name it in systemd's form
 * (`slice:prefix:name`); the VM has no systemd to ask, so it becomes the path that systemd would use.
 * @throws ConnectError INVALID_ARGUMENT for a path that leaves the hierarchy.
 */
export function normalizeCgroupsPath(given: string, containerId: string): string {
  const parts = given.split(":");
  const [slice = "", prefix = "", name = ""] = parts;
  const path = parts.length === 3 ? `/${slice}/${prefix === "" ? "" : `${prefix}-`}${name}.scope` : given;
  if (path.split("/").includes("..")) throw invalidArgument(`cgroup path "${given}" contains ".."`);
  const normal = normalize(`/${path}`);
  return normal === "/" ? `/dev-agent/${containerId}` : normal;
}
