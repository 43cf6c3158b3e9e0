import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BlkioStatsEntrySchema, CgroupStatsSchema } from "@peerpods/kata-protocols/agent";
import { parseFlatKeyed, readControl, toCount } from "./files.ts";

const NANOSECONDS_PER_MICROSECOND = 1000n;
const NO_LIMIT = 2n ** 64n - 1n;

/** Usage of a cgroup of the unified hierarchy, in the agent's units: nanoseconds and bytes. */
export async function readStatsV2(directory: string): Promise<MessageInitShape<typeof CgroupStatsSchema>> {
  const [cpu, memory, io, current, limit] = await Promise.all([
    cpuStats(directory),
    memoryStats(directory),
    readControl(directory, "io.stat"),
    readControl(directory, "pids.current"),
    readControl(directory, "pids.max"),
  ]);
  return {
    cpuStats: cpu,
    memoryStats: memory,
    pidsStats: { current: toCount(current), limit: toCount(limit) },
    blkioStats: parseIoStat(io),
  };
}

async function cpuStats(directory: string) {
  const stat = parseFlatKeyed(await readControl(directory, "cpu.stat"));
  const nanoseconds = (key: string) => (stat.get(key) ?? 0n) * NANOSECONDS_PER_MICROSECOND;
  return {
    cpuUsage: {
      totalUsage: nanoseconds("usage_usec"),
      usageInKernelmode: nanoseconds("system_usec"),
      usageInUsermode: nanoseconds("user_usec"),
    },
    throttlingData: {
      periods: stat.get("nr_periods") ?? 0n,
      throttledPeriods: stat.get("nr_throttled") ?? 0n,
      throttledTime: nanoseconds("throttled_usec"),
    },
  };
}

async function memoryStats(directory: string) {
  const [stat, events, usage, swapUsage] = await Promise.all([
    readControl(directory, "memory.stat"),
    readControl(directory, "memory.events"),
    memoryData(directory, "memory."),
    memoryData(directory, "memory.swap."),
  ]);
  const stats = parseFlatKeyed(stat);
  const failcnt = parseFlatKeyed(events).get("max") ?? 0n;
  return {
    cache: stats.get("file") ?? 0n,
    usage: { ...usage, failcnt },
    swapUsage,
    useHierarchy: true,
    stats: Object.fromEntries(stats),
  };
}

async function memoryData(directory: string, prefix: string) {
  const limit = await readControl(directory, `${prefix}max`);
  return {
    usage: toCount(await readControl(directory, `${prefix}current`)),
    maxUsage: toCount(await readControl(directory, `${prefix}peak`)),
    limit: limit === "max" ? NO_LIMIT : toCount(limit),
  };
}

/** `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6` lines. */
function parseIoStat(text: string | undefined) {
  const bytes: MessageInitShape<typeof BlkioStatsEntrySchema>[] = [];
  const operations: MessageInitShape<typeof BlkioStatsEntrySchema>[] = [];
  for (const line of text?.split("\n") ?? []) {
    const [device = "", ...pairs] = line.split(" ");
    const [major, minor] = device.split(":").map(toCount);
    if (major === undefined || minor === undefined) continue;
    const values = new Map(pairs.map((pair) => pair.split("=", 2) as [string, string]));
    const entry = (op: string, key: string) => ({ major, minor, op, value: toCount(values.get(key)) });
    bytes.push(entry("Read", "rbytes"), entry("Write", "wbytes"), entry("Discard", "dbytes"));
    operations.push(entry("Read", "rios"), entry("Write", "wios"), entry("Discard", "dios"));
  }
  return { ioServiceBytesRecursive: bytes, ioServicedRecursive: operations };
}
