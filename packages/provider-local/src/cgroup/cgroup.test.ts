import { describe, expect, test } from "vitest";
import { cgroupMounts, parseCgroupLayout } from "./layout.ts";
import { planLimits } from "./limits.ts";

const mount = (path: string, rest: string) => `31 23 0:28 / ${path} rw,relatime shared:9 - ${rest}`;

/** As systemd mounts them on a hybrid machine. */
const hybrid = [
  mount("/proc", "proc proc rw"),
  mount("/sys/fs/cgroup", "tmpfs tmpfs ro,mode=755"),
  mount("/sys/fs/cgroup/unified", "cgroup2 cgroup2 rw,nsdelegate"),
  mount("/sys/fs/cgroup/systemd", "cgroup cgroup rw,xattr,release_agent=/lib/systemd/agent,name=systemd"),
  mount("/sys/fs/cgroup/cpu,cpuacct", "cgroup cgroup rw,cpu,cpuacct"),
  mount("/mnt/again", "cgroup cgroup rw,cpuacct,cpu"),
  mount("/sys/fs/cgroup/memory", "cgroup cgroup rw,memory"),
  "",
].join("\n");
const v2 = mount("/sys/fs/cgroup", "cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot");

describe("layout", () => {
  test("hybrid: each v1 hierarchy once, with what selects it", () => {
    expect(parseCgroupLayout(hybrid)).toEqual({
      mode: "v1",
      unified: "/sys/fs/cgroup/unified",
      hierarchies: [
        { mountPoint: "/sys/fs/cgroup/systemd", selectors: ["name=systemd"] },
        { mountPoint: "/sys/fs/cgroup/cpu,cpuacct", selectors: ["cpu", "cpuacct"] },
        { mountPoint: "/sys/fs/cgroup/memory", selectors: ["memory"] },
      ],
    });
  });

  test("v2, v1 alone, none", () => {
    expect(parseCgroupLayout(v2)).toEqual({ mode: "v2", unified: "/sys/fs/cgroup" });
    const v1 = parseCgroupLayout(mount("/cg/memory", "cgroup none rw,memory"));
    expect(cgroupMounts(v1)).toEqual(["/cg/memory"]);
    expect(() => parseCgroupLayout("")).toThrow("no cgroup hierarchy");
  });
});

describe("limits", () => {
  test("v1: each in the hierarchy that has the controller; the quota after its period", () => {
    const writes = planLimits(parseCgroupLayout(hybrid.replace("rw,memory", "rw,memory,pids")), {
      vcpus: 1.5,
      memoryMiB: 256,
      pids: 100,
    });
    expect(writes.map((w) => `${w.mountPoint}/${w.file} ${w.value}`)).toEqual([
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us 100000",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us 150000",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes 268435456",
      "/sys/fs/cgroup/memory/pids.max 100",
    ]);
  });

  test("v2: one file each", () => {
    const writes = planLimits(parseCgroupLayout(v2), { vcpus: 2, memoryMiB: 1, pids: 0 });
    expect(writes.map((w) => `${w.mountPoint}/${w.file} ${w.value}`)).toEqual([
      "/sys/fs/cgroup/cpu.max 200000 100000",
      "/sys/fs/cgroup/memory.max 1048576",
    ]);
  });

  test("zero is no limit; a limit without its controller is an error that names the way out", () => {
    const layout = parseCgroupLayout(hybrid);
    expect(planLimits(layout, { vcpus: 0, memoryMiB: 0, pids: 0 })).toEqual([]);
    expect(() => planLimits(layout, { vcpus: 0, memoryMiB: 0, pids: 1 })).toThrow("local-pids-limit");
  });
});
