import type { Finding } from "@peerpods/cloud-providers";
import { holdingLimits, withoutControllersText } from "../cgroup/delegated.ts";
import { createVmCgroup, destroyVmCgroup } from "../cgroup/vm-cgroup.ts";
import type { CheckContext } from "./verify-host.ts";

/** Makes the cgroup of a VM with the limits of the options, and removes it again. */
export async function verifyCgroups({ local, call }: CheckContext): Promise<Finding[]> {
  const { vcpus, memoryMiB, pidsLimit } = local.config;
  const name = `peerpods-check-${local.key}-${process.pid}`;
  try {
    const wanted = { vcpus, memoryMiB, pids: pidsLimit };
    const { limits, without } = await holdingLimits(local.cgroups, wanted, local.isRootless);
    await createVmCgroup(local.cgroups, name, limits);
    return without.length === 0 ? [] : [notDelegated(without)];
  } catch (error) {
    call.signal.throwIfAborted();
    return [
      {
        severity: "error",
        subject: "cgroups",
        message: `a pod VM's cgroup cannot be made: ${error instanceof Error ? error.message : String(error)}`,
        remedy:
          "run on the machine itself or in a privileged container, with cgroup controllers cpu, memory and pids; " +
          "or switch off the limit that cannot be had (local-vcpus, local-memory, local-pids-limit = 0)",
      },
    ];
  } finally {
    await destroyVmCgroup(local.cgroups, name, call.signal);
  }
}

function notDelegated(controllers: readonly string[]): Finding {
  return {
    severity: "warning",
    subject: "cgroups",
    message: withoutControllersText(controllers),
    remedy: `delegate them: systemctl edit user@.service, with [Service] Delegate=${controllers.join(" ")}; or run as root`,
  };
}
