import type { MessageInitShape } from "@bufbuild/protobuf";
import type { StorageSchema } from "@peerpods/kata-protocols/agent";
import type { MountSchema, SpecSchema } from "@peerpods/kata-protocols/oci";
import type { CopiedFile } from "./copy-file.ts";
import type { ContainerRequest, PodRequest } from "./pod-request.ts";

type Mount = MessageInitShape<typeof MountSchema>;
type Spec = MessageInitShape<typeof SpecSchema>;
type Storage = MessageInitShape<typeof StorageSchema>;

/** The fourteen capabilities that containers get by default. */
const capabilities = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FSETID",
  "FOWNER",
  "MKNOD",
  "NET_RAW",
  "SETGID",
  "SETUID",
  "SETFCAP",
  "SETPCAP",
  "NET_BIND_SERVICE",
  "SYS_CHROOT",
  "KILL",
  "AUDIT_WRITE",
].map((name) => `CAP_${name}`);

/** What CreateContainer carries besides the ids. */
export interface ContainerSpec {
  readonly storages: Storage[];
  readonly OCI: Spec;
}

/** The pause container, whose image is in the guest. */
export function pauseSpec(pod: PodRequest, files: readonly CopiedFile[]): ContainerSpec {
  const annotations = {
    "io.katacontainers.pkg.oci.bundle_path": `/run/containerd/io.containerd.runtime.v2.task/k8s.io/${pod.sandboxId}`,
    "io.katacontainers.pkg.oci.container_type": "pod_sandbox",
    "io.kubernetes.cri.container-type": "sandbox",
    ...sandboxAnnotations(pod),
    "nerdctl/network-namespace": pod.netnsPath,
  };
  return containerSpec(pod.sandboxId, {
    image: "pause",
    annotations,
    readonlyRoot: true,
    hostname: pod.name,
    process: { Args: ["/pause"], Cwd: "/", NoNewPrivileges: true },
    mounts: [shm, ...files.map((file) => bind(file, "ro"))],
    shares: 2n,
  });
}

/** A container of the pod. */
export function workloadSpec(
  pod: PodRequest,
  container: ContainerRequest,
  files: readonly CopiedFile[],
): ContainerSpec {
  const annotations = {
    "io.katacontainers.pkg.oci.bundle_path": `/run/containerd/io.containerd.runtime.v2.task/k8s.io/${container.containerId}`,
    "io.katacontainers.pkg.oci.container_type": "pod_container",
    "io.kubernetes.cri.container-name": container.name,
    "io.kubernetes.cri.container-type": "container",
    "io.kubernetes.cri.image-name": container.image,
    ...sandboxAnnotations(pod),
  };
  return containerSpec(container.containerId, {
    image: container.image,
    annotations,
    readonlyRoot: false,
    hostname: "",
    process: {
      Terminal: container.terminal,
      Args: [...container.args],
      Env: [...container.env, `HOSTNAME=${pod.name}`],
      Cwd: container.cwd,
    },
    mounts: [cgroups, ...files.map((file) => bind(file, "rw", "rprivate")), shm],
    shares: 1024n,
  });
}

function sandboxAnnotations(pod: PodRequest): Record<string, string> {
  return {
    "io.kubernetes.cri.sandbox-id": pod.sandboxId,
    "io.kubernetes.cri.sandbox-name": pod.name,
    "io.kubernetes.cri.sandbox-namespace": pod.namespace,
  };
}

interface SpecParts {
  readonly image: string;
  readonly annotations: Record<string, string>;
  readonly readonlyRoot: boolean;
  readonly hostname: string;
  readonly process: {
    readonly Args: string[];
    readonly Cwd: string;
    readonly Env?: string[];
    readonly Terminal?: boolean;
    readonly NoNewPrivileges?: boolean;
  };
  readonly mounts: readonly Mount[];
  readonly shares: bigint;
}

function containerSpec(id: string, parts: SpecParts): ContainerSpec {
  const rootfs = `/run/kata-containers/${id}/rootfs`;
  const metadata = JSON.stringify({ metadata: parts.annotations });
  return {
    storages: [
      {
        driver: "image_guest_pull",
        driverOptions: [`image_guest_pull=${metadata}`],
        source: parts.image,
        fstype: "overlay",
        mountPoint: rootfs,
      },
    ],
    OCI: {
      Version: "1.0.2-dev",
      Process: {
        User: {},
        Capabilities: { Bounding: capabilities, Effective: capabilities, Permitted: capabilities },
        ...parts.process,
      },
      Root: { Path: rootfs, Readonly: parts.readonlyRoot },
      Hostname: parts.hostname,
      Mounts: [...kernelMounts, ...parts.mounts],
      Annotations: parts.annotations,
      Linux: {
        Resources: { CPU: { Shares: parts.shares } },
        CgroupsPath: `/peerpods/${id}`,
        Namespaces: [{ Type: "ipc" }, { Type: "uts" }, { Type: "mount" }],
        MaskedPaths: maskedPaths,
        ReadonlyPaths: readonlyPaths,
      },
    },
  };
}

const kernelMounts: readonly Mount[] = [
  mount("/proc", "proc", ["nosuid", "noexec", "nodev"]),
  mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
  mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
  mount("/dev/mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
  mount("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
];

const cgroups = mount("/sys/fs/cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"]);

const shm: Mount = {
  destination: "/dev/shm",
  source: "/run/kata-containers/sandbox/shm",
  type: "bind",
  options: ["rbind"],
};

const maskedPaths = [
  ...["acpi", "asound", "kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug"].map(
    (name) => `/proc/${name}`,
  ),
  "/sys/firmware",
  "/proc/scsi",
];

const readonlyPaths = ["bus", "fs", "irq", "sys", "sysrq-trigger"].map((name) => `/proc/${name}`);

function mount(destination: string, type: string, options: string[]): Mount {
  return { destination, source: type, type, options };
}

function bind(file: CopiedFile, ...options: string[]): Mount {
  return {
    destination: file.destination,
    source: file.guestPath,
    type: "bind",
    options: ["rbind", ...options.toReversed()],
  };
}
