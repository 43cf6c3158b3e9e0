import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { guestPaths } from "@peerpods/podvm-contract";
import { isMountPoint } from "../requests/mount-points.ts";
import { mapperName } from "./annotation.ts";
import type { CloudVolume } from "./annotation.ts";
import type { VolumeCall, VolumeDriver } from "./cloud-volumes.ts";
import { isEmptyDisk, isLuksDisk } from "./disk-content.ts";
import { findDisk } from "./discovery/find-disk.ts";
import { runOrThrow, runProgram } from "./run-program.ts";
import type { RunProgram } from "./run-program.ts";

const unmountTimeoutMs = 60_000;

/** How long disks are looked for, and with what. */
export interface SystemVolumesOptions {
  /** Default 15. */
  readonly maxAttempts?: number | undefined;
  /** Default 2000. */
  readonly retryDelayMs?: number | undefined;
  /** Directory that stands for `/`; for tests. */
  readonly root?: string;
  readonly run?: RunProgram;
  /** Default: the image's. */
  readonly dataHubSocket?: string;
}

type Place = Parameters<VolumeDriver["mount"]>[1];
type EncryptedVolume = CloudVolume & { readonly encryption: { readonly keyId: string } };

/**
 * The volumes of this machine: plain ones by `mount`, `blkid` and `mkfs`, encrypted ones by the confidential data hub. A
 * disk with anything on it is never formatted.
 */
export function createSystemVolumes(options: SystemVolumesOptions = {}): VolumeDriver {
  const { maxAttempts = 15, retryDelayMs = 2000, root = "/", run = runProgram } = options;
  const hub = { socket: options.dataHubSocket ?? guestPaths.confidentialDataHubSocket, retryDelayMs };
  const content = { run, retryDelayMs };

  const mountPlain = async (
    volume: CloudVolume,
    { device, directory }: Place,
    call: VolumeCall,
  ): Promise<void> => {
    const { exitCode } = await run("mount", ["-t", volume.fsType, device, directory], call);
    if (exitCode === 0) return;
    if (!(await isEmptyDisk(device, content, call)))
      return runOrThrow(run, ["mount", device, directory], call);
    await runOrThrow(run, [`mkfs.${volume.fsType}`, device], call);
    await runOrThrow(run, ["mount", "-t", volume.fsType, device, directory], call);
  };

  const mountEncrypted = async (volume: EncryptedVolume, place: Place, call: VolumeCall): Promise<void> => {
    const isEncrypted = await isLuksDisk(place.device);
    // The hub formats whatever it is told to be empty.
    if (!isEncrypted && !(await isEmptyDisk(place.device, content, call))) {
      const message = `cloud volume ${volume.name}: ${place.device} is not encrypted and not empty`;
      throw new ConnectError(message, Code.FailedPrecondition);
    }
    // Rarely needed, so it and the hub's protocol are not loaded before.
    const { secureMount } = await import("./secure-mount.ts");
    await secureMount(volume, { ...place, isEncrypted }, { hub, ...call });
  };

  return {
    async findDevice(volume, { signal }) {
      for (let attempt = 1; ; attempt++) {
        const name = await findDisk(volume, { root });
        if (name !== undefined) return `/dev/${name}`;
        if (attempt === maxAttempts) {
          const message = `cloud volume ${volume.name}: no disk with LUN ${volume.lun} appeared`;
          throw new ConnectError(message, Code.NotFound);
        }
        await delay(retryDelayMs, undefined, { signal });
      }
    },
    async mount(volume, place, call) {
      if (await isMountPoint(place.directory)) return;
      const { encryption } = volume;
      if (encryption === undefined) await mountPlain(volume, place, call);
      else await mountEncrypted({ ...volume, encryption }, place, call);
    },
    async unmount(volume, directory) {
      const call = { signal: AbortSignal.timeout(unmountTimeoutMs) };
      await runOrThrow(run, ["umount", directory], call);
      if (volume.encryption !== undefined)
        await runOrThrow(run, ["cryptsetup", "close", mapperName(volume)], call);
    },
  };
}
