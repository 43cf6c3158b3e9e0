import { ProviderError } from "@peerpods/cloud-providers";
import { mountOfController, type CgroupLayout } from "./layout.ts";

/** What one pod VM may use. Zero means no limit. */
export interface Limits {
  readonly vcpus: number;
  readonly memoryMiB: number;
  /** Processes and threads. */
  readonly pids: number;
}

/** One value for one file below the VM's cgroup. */
export interface LimitWrite {
  readonly controller: string;
  /** Mount point of the hierarchy that has the controller. */
  readonly mountPoint: string;
  readonly file: string;
  readonly value: string;
}

const PERIOD_US = 100_000;
const MIB = 1024 * 1024;

/**
 * The writes that put `limits` into force, in order.
 * @throws ProviderError `invalid_config` when a limit is wanted whose v1 controller is not mounted.
 */
export function planLimits(layout: CgroupLayout, limits: Limits): LimitWrite[] {
  const quota = String(Math.round(limits.vcpus * PERIOD_US));
  const bytes = String(limits.memoryMiB * MIB);
  const pids = String(limits.pids);
  const wanted: [amount: number, controller: string, v1: [string, string][], v2: [string, string][]][] = [
    [
      limits.vcpus,
      "cpu",
      [
        ["cpu.cfs_period_us", String(PERIOD_US)],
        ["cpu.cfs_quota_us", quota],
      ],
      [["cpu.max", `${quota} ${PERIOD_US}`]],
    ],
    [limits.memoryMiB, "memory", [["memory.limit_in_bytes", bytes]], [["memory.max", bytes]]],
    [limits.pids, "pids", [["pids.max", pids]], [["pids.max", pids]]],
  ];
  return wanted
    .filter(([amount]) => amount > 0)
    .flatMap(([, controller, v1, v2]) => {
      const mountPoint = layout.mode === "v2" ? layout.unified : mountOfController(layout, controller);
      if (mountPoint === undefined) throw missingController(controller);
      return (layout.mode === "v2" ? v2 : v1).map(([file, value]) => ({
        controller,
        mountPoint,
        file,
        value,
      }));
    });
}

/** The error for a limit that this machine cannot enforce. */
export function missingController(controller: string): ProviderError {
  return new ProviderError(
    "invalid_config",
    `this machine has no cgroup controller "${controller}", so a pod VM cannot be limited by it; ` +
      `enable it (kernel parameter cgroup_enable=${controller}), or set ` +
      `${limitOptions[controller] ?? "the limit"} to 0 to run without this limit`,
  );
}

const limitOptions: Record<string, string> = {
  cpu: "local-vcpus",
  memory: "local-memory",
  pids: "local-pids-limit",
};
