import type { LinuxBlockIO, LinuxDeviceCgroup, LinuxResources } from "@peerpods/kata-protocols/oci";
import { omitEmpty } from "./omit-empty.ts";

/** Devices that a container may use when the request gives no rules: what every runtime allows. */
const defaultDeviceRules = [
  { allow: false, access: "rwm" },
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...[
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 2],
  ].map(([major, minor]) => ({ allow: true, type: "c", major, minor, access: "rwm" })),
  { allow: true, type: "c", major: 136, access: "rwm" },
];

/** Names of cgroup controllers; undefined stands for all. */
export type Controllers = ReadonlySet<string> | undefined;

/** Limits of a new container, device rules included. Those without a controller are left out: no runtime takes them. */
export function runtimeResources(resources: LinuxResources | undefined, controllers?: Controllers): object {
  const rules = resources?.Devices.map(deviceRule) ?? [];
  return { ...limits(resources, controllers), devices: rules.length > 0 ? rules : defaultDeviceRules };
}

/**
 * Limits for a running container. The shim always sends one device rule that forbids everything; applied to a
 * running container it would take /dev/null away, so device rules are not changed.
 */
export function updatedResources(resources: LinuxResources | undefined, controllers?: Controllers): object {
  return limits(resources, controllers) ?? {};
}

function limits(resources: LinuxResources | undefined, controllers: Controllers): object | undefined {
  const has = (controller: string): boolean => controllers === undefined || controllers.has(controller);
  const memory = has("memory") ? resources?.Memory : undefined;
  const cpu = has("cpu") ? resources?.CPU : undefined;
  const cpuset = has("cpuset") ? resources?.CPU : undefined;
  return omitEmpty({
    memory: omitEmpty({
      limit: memory?.Limit,
      reservation: memory?.Reservation,
      swap: memory?.Swap,
      kernelTCP: memory?.KernelTCP,
      swappiness: memory?.Swappiness,
      disableOOMKiller: memory?.DisableOOMKiller,
    }),
    cpu: omitEmpty({
      shares: cpu?.Shares,
      quota: cpu?.Quota,
      period: cpu?.Period,
      realtimeRuntime: cpu?.RealtimeRuntime,
      realtimePeriod: cpu?.RealtimePeriod,
      cpus: cpuset?.Cpus,
      mems: cpuset?.Mems,
    }),
    pids: omitEmpty({ limit: has("pids") ? resources?.Pids?.Limit : undefined }),
    blockIO: blockIo(has("io") ? resources?.BlockIO : undefined),
    hugepageLimits: (has("hugetlb") ? resources?.HugepageLimits : undefined)?.map(({ Pagesize, Limit }) => ({
      pageSize: Pagesize,
      limit: Limit,
    })),
  });
}

function deviceRule(rule: LinuxDeviceCgroup): object {
  // Absent, zero and -1 all arrive for "any"; no device has the major number 0.
  const any = rule.Major <= 0n;
  return {
    allow: rule.Allow,
    ...omitEmpty({ type: rule.Type, access: rule.Access }),
    ...(any ? {} : { major: rule.Major }),
    ...(any || rule.Minor < 0n ? {} : { minor: rule.Minor }),
  };
}

function blockIo(block: LinuxBlockIO | undefined): object | undefined {
  if (block === undefined) return undefined;
  const throttle = (devices: LinuxBlockIO["ThrottleReadBpsDevice"]) =>
    devices.map(({ Major, Minor, Rate }) => ({ major: Major, minor: Minor, rate: Rate }));
  return omitEmpty({
    weight: block.Weight,
    leafWeight: block.LeafWeight,
    weightDevice: block.WeightDevice.map(({ Major, Minor, Weight, LeafWeight }) => ({
      major: Major,
      minor: Minor,
      ...omitEmpty({ weight: Weight, leafWeight: LeafWeight }),
    })),
    throttleReadBpsDevice: throttle(block.ThrottleReadBpsDevice),
    throttleWriteBpsDevice: throttle(block.ThrottleWriteBpsDevice),
    throttleReadIOPSDevice: throttle(block.ThrottleReadIOPSDevice),
    throttleWriteIOPSDevice: throttle(block.ThrottleWriteIOPSDevice),
  });
}
