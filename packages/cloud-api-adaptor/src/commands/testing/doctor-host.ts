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

/** What programs say on a machine where all is well. */
function wellAnswer(program: string, args: readonly string[]): ProgramResult {
  const words = [program, ...args].join(" ");
  if (words.includes("route show default")) return { ...succeeded, stdout: routes };
  if (words.includes("address show dev eth0")) return { ...succeeded, stdout: addresses };
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
      read: async (path) =>
        ({
          "/proc/self/status": "CapEff:\t000001ffffffffff\n",
          "/proc/self/limits": "Max open files            1024                 524288               files\n",
          "/proc/meminfo": "MemAvailable:    8000000 kB\n",
        })[path],
      run: async (program, args) =>
        answers.find(([line]) => line.test([program, ...args].join(" ")))?.[1] ?? wellAnswer(program, args),
      fileSystem: async () => ({ freeBytes: 2 ** 40, isMemory: false }),
      exists: async (path) => path === "/" || path === "/var/lib" || path === "/run",
      canWrite: async () => true,
      isPortFree: async () => true,
      leftNetworks: async () => [],
      ...change,
    },
  };
}
