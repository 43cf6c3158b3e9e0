import { finding, type Check } from "./check.ts";

/** Descriptors of daemon or relay without pods, and of each pod in the relay: two sockets, their listener, reconnecting. */
const BASE_FILES = 128;
const FILES_PER_POD = 8;
const MIN_AVAILABLE_MIB = 100;
const COMFORTABLE_AVAILABLE_MIB = 256;
/** What counts as "no limit of pods" here. */
const MANY_PODS = 500;

export const limits: Check = {
  area: "limits",
  async run({ host, settings }) {
    const pods = settings.maxSandboxes < 0 ? MANY_PODS : settings.maxSandboxes;
    const wanted = BASE_FILES + pods * FILES_PER_POD;
    const text = (await host.read("/proc/self/limits")) ?? "";
    const open = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
    const allowed = open === undefined || open === "unlimited" ? Infinity : Number(open);
    const files =
      allowed >= wanted
        ? []
        : [
            finding("error", "open files", {
              message: `a process may open ${allowed} files; ${pods} pods take ${wanted}`,
              remedy: `ulimit -n ${wanted}, LimitNOFILE=${wanted} in the unit, or a lower peerpods-limit-per-node`,
            }),
          ];
    const memory = (await host.read("/proc/meminfo")) ?? "";
    const available =
      Number(/^MemAvailable:\s+(\d+) kB/m.exec(memory)?.[1] ?? Number.POSITIVE_INFINITY) / 1024;
    if (available >= COMFORTABLE_AVAILABLE_MIB) return files;
    return [
      ...files,
      finding(available < MIN_AVAILABLE_MIB ? "error" : "warning", "memory", {
        message: `${Math.round(available)} MiB are available; daemon and relay take about ${MIN_AVAILABLE_MIB}`,
        remedy: "stop something, or give the node more memory",
      }),
    ];
  },
};
