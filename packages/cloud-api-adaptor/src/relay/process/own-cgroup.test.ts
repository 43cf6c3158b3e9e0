import { describe, expect, it } from "vitest";
import { parseHierarchies } from "./own-cgroup.ts";

const mount = (path: string, rest: string): string => `31 23 0:28 / ${path} rw,relatime shared:9 - ${rest}`;

describe("the hierarchies by which a unit is ended", () => {
  it("cgroup v2", () => {
    expect(
      parseHierarchies(mount("/sys/fs/cgroup", "cgroup2 cgroup2 rw"), "0::/system.slice/x.service\n"),
    ).toEqual([{ mountPoint: "/sys/fs/cgroup", path: "/system.slice/x.service" }]);
  });

  it("hybrid: systemd's own and the unified one, no controllers", () => {
    const mountInfo = [
      mount("/sys/fs/cgroup", "tmpfs tmpfs rw"),
      mount("/sys/fs/cgroup/memory", "cgroup cgroup rw,memory"),
      mount("/sys/fs/cgroup/systemd", "cgroup cgroup rw,xattr,name=systemd"),
      mount("/sys/fs/cgroup/unified", "cgroup2 cgroup2 rw"),
    ].join("\n");
    expect(parseHierarchies(mountInfo, "4:memory:/m\n1:name=systemd:/a.slice/b:c\n0::/u\n")).toEqual([
      { mountPoint: "/sys/fs/cgroup/systemd", path: "/a.slice/b:c" },
      { mountPoint: "/sys/fs/cgroup/unified", path: "/u" },
    ]);
  });

  it("none of those that a /sys of our own hides", () => {
    const mountInfo = [
      mount("/sys/fs/cgroup/systemd", "cgroup cgroup rw,xattr,name=systemd"),
      mount("/sys", "sysfs sysfs rw"),
      mount("/sys/fs/cgroup", "cgroup2 cgroup2 rw"),
    ].join("\n");
    expect(parseHierarchies(mountInfo, "1:name=systemd:/a.slice\n0::/host\n")).toEqual([
      { mountPoint: "/sys/fs/cgroup", path: "/host" },
    ]);
  });

  it("none mounted", () => {
    expect(parseHierarchies("", "0::/")).toEqual([]);
  });
});
