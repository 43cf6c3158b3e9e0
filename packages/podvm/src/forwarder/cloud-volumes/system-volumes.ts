import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { execa } from "execa";
import { isMountPoint } from "../requests/mount-points.ts";
import type { CloudVolume } from "./annotation.ts";
import type { VolumeCall, VolumeDriver } from "./cloud-volumes.ts";
import { findDisk } from "./discovery/find-disk.ts";

/** Runs a program; resolves also when it fails. */
export type RunProgram = (
  program: string,
  args: readonly string[],
  call: VolumeCall,
) => Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>;

/** How long disks are looked for, and with what. */
export interface SystemVolumesOptions {
  /** Default 15. */
  readonly maxAttempts?: number | undefined;
  /** Default 2000. */
  readonly retryDelayMs?: number | undefined;
  /** Directory that stands for `/`; for tests. */
  readonly root?: string;
  readonly run?: RunProgram;
}

/** The volumes of this machine, by `mount`, `blkid` and `mkfs`. A disk with anything on it is never formatted. */
export function createSystemVolumes(options: SystemVolumesOptions = {}): VolumeDriver {
  const { maxAttempts = 15, retryDelayMs = 2000, root = "/", run = runProgram } = options;
  const pause = (signal: AbortSignal) => delay(retryDelayMs, undefined, { signal });

  const succeeds = async (program: string, args: readonly string[], call: VolumeCall): Promise<void> => {
    const { exitCode, stderr } = await run(program, args, call);
    if (exitCode !== 0)
      throw new ConnectError(`${program} ${args.join(" ")}: ${stderr.trim()}`, Code.Internal);
  };

  /** Whether there is nothing on the device; blkid answers 2 then. Anything unclear is not empty. */
  const isEmpty = async (device: string, call: VolumeCall): Promise<boolean> => {
    for (let attempt = 1; ; attempt++) {
      const { exitCode, stdout, stderr } = await run("blkid", ["-p", device], call);
      if (exitCode === 0 && stdout.trim() !== "") return false;
      if (exitCode === 2) return true;
      if (attempt === 3)
        throw new ConnectError(`blkid ${device} failed, not formatting: ${stderr.trim()}`, Code.Internal);
      await pause(call.signal);
    }
  };

  return {
    async findDevice(volume, { signal }) {
      for (let attempt = 1; ; attempt++) {
        const name = await findDisk(volume, { root });
        if (name !== undefined) return `/dev/${name}`;
        if (attempt === maxAttempts) {
          throw new ConnectError(
            `cloud volume ${volume.name}: no disk with LUN ${volume.lun} appeared`,
            Code.NotFound,
          );
        }
        await pause(signal);
      }
    },
    async mount(volume, { device, directory }, call) {
      refuseEncrypted(volume);
      if (await isMountPoint(directory)) return;
      const { exitCode } = await run("mount", ["-t", volume.fsType, device, directory], call);
      if (exitCode === 0) return;
      if (!(await isEmpty(device, call))) return succeeds("mount", [device, directory], call);
      await succeeds(`mkfs.${volume.fsType}`, [device], call);
      await succeeds("mount", ["-t", volume.fsType, device, directory], call);
    },
    async unmount(_volume, directory) {
      await succeeds("umount", [directory], { signal: AbortSignal.timeout(60_000) });
    },
  };
}

function refuseEncrypted({ name, encryption }: CloudVolume): void {
  if (encryption === undefined) return;
  throw new ConnectError(`cloud volume ${name}: encrypted volumes are not supported yet`, Code.Unimplemented);
}

const runProgram: RunProgram = async (program, args, { signal }) => {
  const { exitCode, stdout, stderr, failed, shortMessage } = await execa(program, args, {
    reject: false,
    cancelSignal: signal,
    env: { LC_ALL: "C" },
  });
  signal.throwIfAborted();
  if (exitCode === undefined && failed) throw new ConnectError(`${program}: ${shortMessage}`, Code.Internal);
  return { exitCode: exitCode ?? -1, stdout, stderr };
};
