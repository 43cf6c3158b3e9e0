import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BlkioStatsEntrySchema, CgroupStatsSchema } from "@peerpods/kata-protocols/agent";
import { controllerDirectory, type Hierarchies } from "./hierarchies.ts";
import { parseFlatKeyed, readControl, toCount } from "./files.ts";

/** Nanoseconds in a tick of cpuacct.stat; USER_HZ is 100 on every Linux that Node runs on. */
const TICK_NANOSECONDS = 10_000_000n;

/** Usage of a cgroup in the v1 hierarchies, in the agent's units: nanoseconds and bytes. */
export async function readStatsV1(
  hierarchies: Hierarchies,
  cgroupsPath: string,
): Promise<MessageInitShape<typeof CgroupStatsSchema>> {
  const directory = (controller: string) => controllerDirectory(hierarchies, controller, cgroupsPath);
  const [cpu, memory, pids, blkio] = await Promise.all([
    cpuStats(directory("cpuacct"), directory("cpu")),
    memoryStats(directory("memory")),
    pidsStats(directory("pids")),
    blkioStats(directory("blkio")),
  ]);
  return { cpuStats: cpu, memoryStats: memory, pidsStats: pids, blkioStats: blkio };
}

async function cpuStats(cpuacct: string | undefined, cpu: string | undefined) {
  const [total, perCpu, split, throttling] = await Promise.all([
    readControl(cpuacct, "cpuacct.usage"),
    readControl(cpuacct, "cpuacct.usage_percpu"),
    readControl(cpuacct, "cpuacct.stat"),
    readControl(cpu, "cpu.stat"),
  ]);
  const ticks = parseFlatKeyed(split);
  const throttled = parseFlatKeyed(throttling);
  return {
    cpuUsage: {
      totalUsage: toCount(total),
      percpuUsage: perCpu?.split(" ").map(toCount) ?? [],
      usageInKernelmode: (ticks.get("system") ?? 0n) * TICK_NANOSECONDS,
      usageInUsermode: (ticks.get("user") ?? 0n) * TICK_NANOSECONDS,
    },
    throttlingData: {
      periods: throttled.get("nr_periods") ?? 0n,
      throttledPeriods: throttled.get("nr_throttled") ?? 0n,
      throttledTime: throttled.get("throttled_time") ?? 0n,
    },
  };
}

async function memoryStats(directory: string | undefined) {
  const [stat, hierarchy, usage, swapUsage, kernelUsage] = await Promise.all([
    readControl(directory, "memory.stat"),
    readControl(directory, "memory.use_hierarchy"),
    memoryData(directory, "memory."),
    memoryData(directory, "memory.memsw."),
    memoryData(directory, "memory.kmem."),
  ]);
  const stats = parseFlatKeyed(stat);
  return {
    cache: stats.get("cache") ?? 0n,
    usage,
    swapUsage,
    kernelUsage,
    useHierarchy: hierarchy === "1",
    stats: Object.fromEntries(stats),
  };
}

async function memoryData(directory: string | undefined, prefix: string) {
  const read = async (file: string) => toCount(await readControl(directory, `${prefix}${file}`));
  return {
    usage: await read("usage_in_bytes"),
    maxUsage: await read("max_usage_in_bytes"),
    failcnt: await read("failcnt"),
    limit: await read("limit_in_bytes"),
  };
}

async function pidsStats(directory: string | undefined) {
  return {
    current: toCount(await readControl(directory, "pids.current")),
    limit: toCount(await readControl(directory, "pids.max")),
  };
}

async function blkioStats(directory: string | undefined) {
  const read = async (file: string) => parseBlkio(await readControl(directory, file));
  return {
    ioServiceBytesRecursive: await read("blkio.throttle.io_service_bytes_recursive"),
    ioServicedRecursive: await read("blkio.throttle.io_serviced_recursive"),
  };
}

/** `8:0 Read 4096` lines; the last one, the total, has no device. */
function parseBlkio(text: string | undefined): MessageInitShape<typeof BlkioStatsEntrySchema>[] {
  const entries = [];
  for (const line of text?.split("\n") ?? []) {
    const match = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line);
    if (match === null) continue;
    const [, major, minor, op = "", value] = match;
    entries.push({ major: toCount(major), minor: toCount(minor), op, value: toCount(value) });
  }
  return entries;
}
