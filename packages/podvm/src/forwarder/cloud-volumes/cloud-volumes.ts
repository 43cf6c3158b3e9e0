import { chmod, chown, mkdir } from "node:fs/promises";
import { posix } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Spec } from "@peerpods/kata-protocols/oci";
import type { Logger } from "pino";
import { parseCloudVolumes } from "./annotation.ts";
import type { CloudVolume } from "./annotation.ts";

const defaultDirectory = "/run/cloud-volumes";

/** What mounts volumes; one of the machine, another one of tests. */
export interface VolumeDriver {
  /** The block device of a volume, waiting for it to appear. */
  findDevice(volume: CloudVolume, call: VolumeCall): Promise<string>;
  /** Mounts a device, making a filesystem if it is empty. Done already is fine. */
  mount(
    volume: CloudVolume,
    place: { readonly device: string; readonly directory: string },
    call: VolumeCall,
  ): Promise<void>;
  unmount(volume: CloudVolume, directory: string): Promise<void>;
}

export interface VolumeCall {
  readonly signal: AbortSignal;
}

/** The cloud volumes of a pod. One operation at a time, in the order of their coming. */
export interface CloudVolumes {
  /**
   * Mounts the volumes that an annotation lists and points the container's mounts at them. A volume that is mounted
   * already (for another container of the pod) is used again. What a failed call mounted is unmounted.
   * @throws ConnectError; the spec may have been changed
   */
  attach(annotation: string, container: VolumeCall & { readonly spec: Spec }): Promise<void>;
  /** Unmounts everything, last mounted first. Failures are logged. Can be repeated. */
  detachAll(): Promise<void>;
}

interface MountedVolume {
  readonly volume: CloudVolume;
  readonly directory: string;
}

/** What cloud volumes work with. */
export interface CloudVolumesContext {
  readonly logger: Logger;
  /** Below it every volume is mounted on a directory of its own; default `/run/cloud-volumes`. */
  readonly directory?: string;
}

export function createCloudVolumes(driver: VolumeDriver, context: CloudVolumesContext): CloudVolumes {
  const { logger, directory: parent = defaultDirectory } = context;
  const mounted: MountedVolume[] = [];
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(act: () => Promise<Result>): Promise<Result> => {
    const turn = queue.then(act, act);
    queue = turn.catch(() => undefined);
    return turn;
  };

  const unmountDownTo = async (count: number): Promise<void> => {
    while (mounted.length > count) {
      const last = mounted.pop();
      if (last === undefined) return;
      try {
        await driver.unmount(last.volume, last.directory);
      } catch (err) {
        logger.warn(
          { volume: last.volume.name, directory: last.directory, err },
          "cannot unmount a cloud volume",
        );
      }
    }
  };

  const attachOne = async (volume: CloudVolume, { spec, signal }: VolumeCall & { readonly spec: Spec }) => {
    signal.throwIfAborted();
    const directory = posix.join(parent, volume.name);
    const present = mounted.find((other) => other.directory === directory);
    if (present !== undefined && !isSameDisk(present.volume, volume)) {
      throw new ConnectError(
        `cloud volume ${volume.name} is another disk than before`,
        Code.FailedPrecondition,
      );
    }
    if (present === undefined) {
      const device = await driver.findDevice(volume, { signal });
      await mkdir(directory, { recursive: true, mode: 0o755 });
      await driver.mount(volume, { device, directory }, { signal });
      mounted.push({ volume, directory });
      await giveToGroup(directory, volume, logger);
      logger.info({ volume: volume.name, device, directory }, "cloud volume is mounted");
    }
    const mount = spec.Mounts.find(({ destination }) => destination === volume.mountPoint);
    if (mount === undefined) {
      logger.warn(
        { volume: volume.name, mountPoint: volume.mountPoint },
        "no mount of the container is at this place",
      );
      return;
    }
    mount.source = directory;
    mount.type = "bind";
  };

  return {
    attach: (annotation, container) =>
      inTurn(async () => {
        const before = mounted.length;
        try {
          for (const volume of parseCloudVolumes(annotation)) await attachOne(volume, container);
        } catch (error) {
          await unmountDownTo(before);
          throw error;
        }
      }),
    detachAll: () => inTurn(() => unmountDownTo(0)),
  };
}

function isSameDisk(a: CloudVolume, b: CloudVolume): boolean {
  return a.lun === b.lun && a.diskId === b.diskId && a.encryption?.keyId === b.encryption?.keyId;
}

/** As Kubernetes does for `fsGroup`: new files belong to the group. */
async function giveToGroup(directory: string, { fsGroup }: CloudVolume, logger: Logger): Promise<void> {
  if (fsGroup === undefined) return;
  try {
    await chown(directory, -1, fsGroup);
    await chmod(directory, 0o2775);
  } catch (err) {
    logger.warn({ directory, fsGroup, err }, "cannot give a cloud volume to its group");
  }
}
