import { loadOptions } from "@peerpods/cloud-providers";
import { daemonOptions } from "../../daemon/options.ts";
import { toSettings } from "../../daemon/settings.ts";
import type { CheckContext } from "../doctor/check.ts";
import type { DoctorHost, ProgramResult } from "../doctor/host.ts";

export const succeeded: ProgramResult = { ok: true, missing: false, stdout: "", stderr: "" };
export const failed = (stderr: string): ProgramResult => ({ ok: false, missing: false, stdout: "", stderr });
export const notInstalled: ProgramResult = { ok: false, missing: true, stdout: "", stderr: "ENOENT" };

const routes = JSON.stringify([
  { dst: "default", dev: "eth1", metric: 200 },
  { dst: "default", dev: "eth0", metric: 100 },
]);
const addresses = JSON.stringify([{ ifname: "eth0", mtu: 1500, addr_info: [{ family: "inet" }] }]);

/** containerd's configuration as kata-deploy leaves it, in short. */
const containerdConfig = `version = 3
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.kata-remote]
  runtime_type = "io.containerd.kata-remote.v2"
  runtime_path = "/opt/kata/bin/containerd-shim-kata-v2"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.kata-remote.options]
    ConfigPath = "/opt/kata/remote.toml"
`;
const kataConfig = `[hypervisor.remote]
remote_hypervisor_socket = "/run/peerpod/hypervisor.sock"
[runtime]
internetworking_model = "none"
disable_new_netns = true
`;

/** Files of a machine where all is well. */
export const wellFiles: Readonly<Record<string, string>> = {
  "/proc/self/status": "CapEff:\t000001ffffffffff\n",
  "/proc/self/limits": "Max open files            1024                 524288               files\n",
  "/proc/meminfo": "MemAvailable:    8000000 kB\n",
  "/opt/kata/remote.toml": kataConfig,
};

/** What programs say on a machine where all is well. */
function wellAnswer(program: string, args: readonly string[]): ProgramResult {
  const words = [program, ...args].join(" ");
  if (words.includes("route show default")) return { ...succeeded, stdout: routes };
  if (words.includes("address show dev eth0")) return { ...succeeded, stdout: addresses };
  if (words === "containerd config dump") return { ...succeeded, stdout: containerdConfig };
  if (words.includes("NTPSynchronized")) return { ...succeeded, stdout: "yes" };
  return succeeded;
}

/** A machine on which all is well, but for `change`; `answers` overrides what a command line that matches says. */
export function doctorContext(
  change: Partial<DoctorHost> = {},
  {
    flags = [],
    answers = [],
  }: { flags?: readonly string[]; answers?: readonly (readonly [RegExp, ProgramResult])[] } = {},
): CheckContext {
  const loaded = loadOptions(daemonOptions, { argv: flags, env: {} });
  if ("help" in loaded) throw new Error("no help was asked for");
  return {
    settings: toSettings(loaded.values, { inKubernetes: false }),
    signal: AbortSignal.timeout(5_000),
    host: {
      uid: 0,
      kernelRelease: "6.1.0",
      nodeVersion: "v24.0.0",
      builtAtMs: 1_000,
      now: () => 2_000,
      read: async (path) => wellFiles[path],
      run: async (program, args) =>
        answers.find(([line]) => line.test([program, ...args].join(" ")))?.[1] ?? wellAnswer(program, args),
      fileSystem: async () => ({ freeBytes: 2 ** 40, isMemory: false }),
      exists: async (path) =>
        ["/", "/var/lib", "/run", "/opt/kata/bin/containerd-shim-kata-v2"].includes(path),
      canWrite: async () => true,
      isPortFree: async () => true,
      leftNetworks: async () => [],
      ...change,
    },
  };
}
