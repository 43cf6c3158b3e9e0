/** A pod as containerd and kubelet would ask the shim for it. */
export interface PodRequest {
  /** 64 hexadecimal digits. */
  readonly sandboxId: string;
  readonly name: string;
  readonly namespace: string;
  /** Network namespace that a CNI has prepared: one IPv4 address and a default route. */
  readonly netnsPath: string;
  /** Instance type of the cloud; empty means its default. */
  readonly machineType: string;
  /** Pod VM image of the cloud; empty means its default. */
  readonly podVMImage: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  /** Initdata as TOML text, or empty. */
  readonly initdata: string;
  /** Lines of the pod's /etc/resolv.conf. */
  readonly dns: readonly string[];
}

/** A container of a pod. */
export interface ContainerRequest {
  /** 64 hexadecimal digits. */
  readonly containerId: string;
  readonly name: string;
  /** Reference that the guest pulls. */
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly terminal: boolean;
}
