import type { Spec } from "@peerpods/kata-protocols/oci";
import type { Host } from "../host/host.ts";
import type { ImageStore } from "../image/image-store.ts";

/** What the storage drivers need. */
export interface StorageContext {
  readonly host: Host;
  readonly images: ImageStore;
  /** Storages may only be mounted below it. */
  readonly kataDirectory: string;
  /** Layers that containers write to. On tmpfs in a VM whose root is an overlay, which cannot hold them. */
  readonly layerDirectory: string;
  /** Root file systems that had to be copied. */
  readonly copyDirectory: string;
  /** The bundle of the pause container. */
  readonly pauseBundle: string;
  /** Where a pause bundle is made when the VM has none. */
  readonly ownPauseBundle: string;
}

/** What a storage has done to a container. */
export interface AttachedStorage {
  /** What the storage decides about the container's specification. */
  adapt?(spec: Spec): Spec;
  /** Undoes it when the container is removed; absent for what belongs to the sandbox. */
  detach?(signal: AbortSignal): Promise<void>;
}
