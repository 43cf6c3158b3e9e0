import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { SecureMountService } from "@peerpods/kata-protocols/secure-mount";
import { dialTtrpc } from "@peerpods/ttrpc";
import type { TtrpcClientConnection } from "@peerpods/ttrpc";
import { mapperName } from "./annotation.ts";
import type { CloudVolume } from "./annotation.ts";
import type { VolumeCall } from "./cloud-volumes.ts";

const dialTimeoutMs = 5000;
const dialAttempts = 10;

/** Where the confidential data hub listens, and how patiently it is dialled. */
export interface DataHub {
  readonly socket: string;
  readonly retryDelayMs: number;
}

/** A disk that the confidential data hub shall unlock and mount. */
export interface SecureMount {
  readonly device: string;
  readonly directory: string;
  /** Whether the disk is LUKS already; otherwise it is formatted. */
  readonly isEncrypted: boolean;
}

/**
 * Has the confidential data hub mount an encrypted volume with the key that its key broker releases.
 * @throws ConnectError of the hub; UNAVAILABLE when it cannot be reached
 */
export async function secureMount(
  volume: CloudVolume & { readonly encryption: { readonly keyId: string } },
  { device, directory, isEncrypted }: SecureMount,
  call: VolumeCall & { readonly hub: DataHub },
): Promise<void> {
  await using connection = await dial(call.hub, call.signal);
  const client = createClient(SecureMountService, connection.transport);
  const options = {
    devicePath: device,
    sourceType: isEncrypted ? "encrypted" : "empty",
    targetType: "fileSystem",
    encryptionType: "luks2",
    filesystemType: volume.fsType,
    key: `kbs:///${volume.encryption.keyId}`,
    mapperName: mapperName(volume),
  };
  const request = { volumeType: "block-device", options, mountPoint: directory };
  await client.secureMount(request, { signal: call.signal });
}

async function dial({ socket, retryDelayMs }: DataHub, signal: AbortSignal): Promise<TtrpcClientConnection> {
  for (let attempt = 1; ; attempt++) {
    try {
      const timeout = AbortSignal.timeout(dialTimeoutMs);
      return await dialTtrpc({ path: socket }, { signal: AbortSignal.any([signal, timeout]) });
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === dialAttempts) {
        throw new ConnectError(
          `the confidential data hub cannot be reached at ${socket}`,
          Code.Unavailable,
          undefined,
          undefined,
          error,
        );
      }
      await delay(retryDelayMs, undefined, { signal });
    }
  }
}
