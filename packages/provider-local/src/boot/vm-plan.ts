import { basename } from "node:path";
import type { CgroupLayout } from "../cgroup/layout.ts";

/** Everything that the boot of one pod VM depends on. */
export interface VmPlan {
  readonly hostName: string;
  /** Trees below the writable one, topmost first. */
  readonly layers: readonly string[];
  /** Static busybox that this machine can run. */
  readonly busybox: string;
  /** The boot script, as a file that this machine can read. */
  readonly bootFile: string;
  readonly consoleFile: string;
  readonly directories: VmDirectories;
  readonly cgroups: CgroupLayout;
  /** Files into which the VM's first process writes itself. */
  readonly cgroupEntries: readonly string[];
  /** With prefix length. */
  readonly address: string;
  readonly gateway: string;
  readonly agent: "dev-agent" | "kata-agent";
}

/** Directories of this machine that a VM is made of. */
export interface VmDirectories {
  /** Where its root is mounted, in its own mount namespace only. */
  readonly root: string;
  /** Writable layer, or `undefined` for one in memory. */
  readonly upper?: string;
  readonly work: string;
  /** Shown as /media/cidata. */
  readonly cidata: string;
  /** Shown as /var/log/peerpods. */
  readonly logs: string;
  /** Shown as /run/peerpod-images. */
  readonly images?: string;
}

/** The plan as the boot scripts read it; see there. */
export function bootEnvironment(plan: VmPlan): Record<string, string> {
  const { directories } = plan;
  return {
    PEERPOD_NAME: plan.hostName,
    PEERPOD_BUSYBOX: plan.busybox,
    PEERPOD_BOOT: plan.bootFile,
    PEERPOD_LOWER: plan.layers.join(":"),
    PEERPOD_UPPER: directories.upper ?? "",
    PEERPOD_WORK: directories.work,
    PEERPOD_ROOT: directories.root,
    PEERPOD_CIDATA: directories.cidata,
    PEERPOD_LOGS: directories.logs,
    PEERPOD_IMAGES: directories.images ?? "",
    PEERPOD_CGROUPS: cgroupMountsInVm(plan.cgroups),
    PEERPOD_CGROUP_ENTRIES: plan.cgroupEntries.join(" "),
    PEERPOD_ADDRESS: plan.address,
    PEERPOD_GATEWAY: plan.gateway,
    PEERPOD_AGENT: plan.agent,
  };
}

/** `v2`, or one word per v1 hierarchy: directory and mount options. */
function cgroupMountsInVm(layout: CgroupLayout): string {
  if (layout.mode === "v2") return "v2";
  return layout.hierarchies
    .map(({ mountPoint, selectors }) => {
      const named = selectors.some((selector) => selector.startsWith("name="));
      return `${basename(mountPoint)}:${[...(named ? ["none"] : []), ...selectors].join()}`;
    })
    .join(" ");
}

/** Characters that neither an overlay's options nor a word of the boot environment can carry. */
export const unusablePath = /[,:\\\s"']/;
