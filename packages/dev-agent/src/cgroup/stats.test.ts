import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readStatsV1 } from "./stats-v1.ts";
import { readStatsV2 } from "./stats-v2.ts";
import { oomCounter } from "./oom.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "dev-agent-cgroup-"));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function put(files: Record<string, string>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(root, file, ".."), { recursive: true });
    await writeFile(join(root, file), `${text}\n`);
  }
}

describe("v2 control files in the agent's units", () => {
  test("all of them", async () => {
    await put({
      "c/cpu.stat":
        "usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnr_periods 7\nnr_throttled 2\nthrottled_usec 40",
      "c/memory.current": "1000",
      "c/memory.peak": "2000",
      "c/memory.max": "max",
      "c/memory.swap.current": "10",
      "c/memory.swap.max": "4096",
      "c/memory.stat": "anon 600\nfile 300",
      "c/memory.events": "low 0\nhigh 0\nmax 5\noom 1\noom_kill 1",
      "c/io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6",
      "c/pids.current": "3",
      "c/pids.max": "max",
    });
    expect(await readStatsV2(join(root, "c"))).toEqual({
      cpuStats: {
        cpuUsage: { totalUsage: 5_000_000n, usageInUsermode: 3_000_000n, usageInKernelmode: 2_000_000n },
        throttlingData: { periods: 7n, throttledPeriods: 2n, throttledTime: 40_000n },
      },
      memoryStats: {
        cache: 300n,
        usage: { usage: 1000n, maxUsage: 2000n, limit: 18446744073709551615n, failcnt: 5n },
        swapUsage: { usage: 10n, maxUsage: 0n, limit: 4096n },
        useHierarchy: true,
        stats: { anon: 600n, file: 300n },
      },
      pidsStats: { current: 3n, limit: 0n },
      blkioStats: {
        ioServiceBytesRecursive: [
          { major: 8n, minor: 0n, op: "Read", value: 1n },
          { major: 8n, minor: 0n, op: "Write", value: 2n },
          { major: 8n, minor: 0n, op: "Discard", value: 5n },
        ],
        ioServicedRecursive: [
          { major: 8n, minor: 0n, op: "Read", value: 3n },
          { major: 8n, minor: 0n, op: "Write", value: 4n },
          { major: 8n, minor: 0n, op: "Discard", value: 6n },
        ],
      },
    });
    const counter = oomCounter({ version: 2, root }, "c");
    expect(await counter?.read()).toBe(1n);
  });

  test("an empty cgroup is all zero", async () => {
    const stats = await readStatsV2(join(root, "nothing"));
    expect(stats.cpuStats?.cpuUsage?.totalUsage).toBe(0n);
    expect(stats.blkioStats).toEqual({ ioServiceBytesRecursive: [], ioServicedRecursive: [] });
  });
});

describe("v1 control files", () => {
  test("ticks become nanoseconds, and the total of blkio is left out", async () => {
    await put({
      "cpuacct/c/cpuacct.usage": "9405831",
      "cpuacct/c/cpuacct.usage_percpu": "5733655 3672176",
      "cpuacct/c/cpuacct.stat": "user 3\nsystem 2",
      "blkio/c/blkio.throttle.io_service_bytes_recursive": "8:0 Read 4096\n8:0 Write 0\nTotal 4096",
      "memory/c/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4",
    });
    const roots = new Map(["cpuacct", "blkio", "memory"].map((name) => [name, join(root, name)]));
    const stats = await readStatsV1({ version: 1, roots }, "c");
    expect(stats.cpuStats?.cpuUsage).toEqual({
      totalUsage: 9405831n,
      percpuUsage: [5733655n, 3672176n],
      usageInUsermode: 30_000_000n,
      usageInKernelmode: 20_000_000n,
    });
    expect(stats.blkioStats?.ioServiceBytesRecursive).toEqual([
      { major: 8n, minor: 0n, op: "Read", value: 4096n },
      { major: 8n, minor: 0n, op: "Write", value: 0n },
    ]);
    expect(await oomCounter({ version: 1, roots }, "c")?.read()).toBe(4n);
    expect(oomCounter({ version: 1, roots: new Map() }, "c")).toBeUndefined();
  });
});
