import type { InstanceType } from "../../instance-types/select.ts";

/** What the cloud counts, bills and limits. */
export type ResourceKind = "instances" | "interfaces" | "disks" | "addresses";
export type ResourceCount = Readonly<Record<ResourceKind, number>>;

/** The API, one word for each call that can be made. */
export type ApiStep =
  | "describeAccount"
  | "describeImage"
  | "describeInstances"
  | "describeResources"
  | "describeVolumes"
  | "runInstance"
  | "terminateInstance"
  | "createInterface"
  | "attachInterface"
  | "deleteInterface"
  | "allocateAddress"
  | "associateAddress"
  | "releaseAddress"
  | "attachVolume"
  | "uploadImage"
  | "deleteImage";

export type CloudTags = Readonly<Record<string, string>>;

export interface CloudInstance {
  readonly id: string;
  readonly request: RunInstanceRequest;
  readonly state: "pending" | "running" | "terminated";
  readonly createdAt: number;
  /** Of all its interfaces, the first one's first, a public address before them. */
  readonly addresses: readonly string[];
  readonly reclaimAt?: number;
}

export interface RunInstanceRequest {
  /** The same token and request: the same instance, dead or alive. The same token and another request: refused. */
  readonly token: string;
  readonly name: string;
  readonly type: string;
  readonly zone: string;
  readonly image: string;
  /** base64. */
  readonly userData: string;
  readonly tags: CloudTags;
  readonly spot: boolean;
}

export interface CloudInterface {
  readonly id: string;
  readonly token: string;
  readonly tags: CloudTags;
  readonly address: string;
  readonly instanceId?: string;
  readonly index?: number;
  /** Goes with its instance. Only the first one does. */
  readonly deletedWithInstance: boolean;
}

export interface CloudDisk {
  readonly id: string;
  readonly tags: CloudTags;
  readonly instanceId: string;
}

export interface CloudAddress {
  readonly id: string;
  readonly tags: CloudTags;
  readonly address: string;
  readonly instanceId?: string;
}

/** A data volume: made by the test, never by a provider, and never counted as something left behind. */
export interface CloudVolumeState {
  readonly id: string;
  readonly instanceId?: string;
  readonly index?: number;
}

/** What an account starts with. */
export const defaultTypes: readonly InstanceType[] = [
  { name: "small", vcpus: 2, memoryMiB: 4_096, gpus: 0, arch: "amd64" },
  { name: "medium", vcpus: 4, memoryMiB: 8_192, gpus: 0, arch: "amd64" },
  { name: "large", vcpus: 8, memoryMiB: 16_384, gpus: 0, arch: "amd64" },
  { name: "gpu", vcpus: 8, memoryMiB: 32_768, gpus: 1, arch: "amd64" },
];
