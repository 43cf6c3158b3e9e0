import { describe, expect, test } from "vitest";
import { parseMountTable } from "../host/mount-table.ts";
import { normalizeCgroupsPath } from "./cgroups-path.ts";
import { controllerDirectory, findHierarchies } from "./hierarchies.ts";

const line = (point: string, type: string, options: string) =>
  `30 23 0:26 / ${point} rw,nosuid - ${type} ${type} ${options}`;

describe("cgroup hierarchies", () => {
  test("v1, controllers together and apart", () => {
    const table = parseMountTable(
      [
        line("/sys/fs/cgroup", "tmpfs", "rw,mode=755"),
        line("/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct"),
        line("/sys/fs/cgroup/memory", "cgroup", "rw,memory"),
        line("/sys/fs/cgroup/systemd", "cgroup", "rw,xattr,name=systemd"),
        line("/elsewhere/pids", "cgroup", "rw,pids"),
      ].join("\n"),
    );
    const found = findHierarchies(table);
    expect(found.version).toBe(1);
    expect(controllerDirectory(found, "cpuacct", "/a/b")).toBe("/sys/fs/cgroup/cpu,cpuacct/a/b");
    expect(controllerDirectory(found, "memory", "/a/b")).toBe("/sys/fs/cgroup/memory/a/b");
    expect(controllerDirectory(found, "pids", "/a/b")).toBeUndefined();
  });

  test("v2", () => {
    const found = findHierarchies(parseMountTable(line("/sys/fs/cgroup", "cgroup2", "rw,nsdelegate")));
    expect(found.version).toBe(2);
    expect(controllerDirectory(found, "memory", "/a")).toBe("/sys/fs/cgroup/a");
  });

  test("none", () => {
    expect(() => findHierarchies(parseMountTable(line("/proc", "proc", "rw")))).toThrow(
      "no cgroup file system",
    );
  });

  test("mount points with escaped characters", () => {
    expect(parseMountTable(line("/a\\040b", "tmpfs", "rw"))[0]?.mountPoint).toBe("/a b");
  });
});

describe("a container's cgroup path", () => {
  test.each([
    ["/pppods/pp1/x", "/pppods/pp1/x"],
    ["relative/x", "/relative/x"],
    ["kubepods-pod1.slice:cri-containerd:abc", "/kubepods-pod1.slice/cri-containerd-abc.scope"],
    ["", "/dev-agent/id"],
    ["/", "/dev-agent/id"],
    ["//a///b/", "/a/b/"],
  ])("%j", (given, expected) => {
    expect(normalizeCgroupsPath(given, "id")).toBe(expected);
  });

  test("that climbs out is refused", () => {
    expect(() => normalizeCgroupsPath("/a/../../b", "id")).toThrow('contains ".."');
  });
});
