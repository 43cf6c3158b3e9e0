import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  CreateContainerRequestSchema,
  CreateSandboxRequestSchema,
  ExecProcessRequestSchema,
} from "@peerpods/kata-protocols/agent";

/** Requests as the kata shim was recorded to send them. */

const capabilities = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

const mounts = [
  { destination: "/proc", source: "proc", type: "proc", options: ["nosuid", "noexec", "nodev"] },
  {
    destination: "/dev",
    source: "tmpfs",
    type: "tmpfs",
    options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
  },
  {
    destination: "/dev/pts",
    source: "devpts",
    type: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  },
  { destination: "/dev/mqueue", source: "mqueue", type: "mqueue", options: ["nosuid", "noexec", "nodev"] },
  { destination: "/sys", source: "sysfs", type: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
];

const shm = {
  destination: "/dev/shm",
  source: "/run/kata-containers/sandbox/shm",
  type: "bind",
  options: ["rbind"],
};

const noLimits = { Devices: [{ Allow: true, Access: "rwm" }] };
const masked = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"];
const readonly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

export function sandboxRequest(id: string): MessageInitShape<typeof CreateSandboxRequestSchema> {
  return {
    hostname: "busy",
    storages: [
      {
        driver: "ephemeral",
        source: "shm",
        fstype: "tmpfs",
        options: ["noexec", "nosuid", "nodev", "mode=1777", "size=67108864"],
        mountPoint: "/run/kata-containers/sandbox/shm",
      },
    ],
    sandboxId: id,
  };
}

/** @param unlimited see WorkloadOptions. */
export function pauseRequest(
  id: string,
  unlimited = false,
): MessageInitShape<typeof CreateContainerRequestSchema> {
  const metadata = { "io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": id };
  return {
    containerId: id,
    execId: id,
    storages: [imageStorage(id, "pause", metadata)],
    OCI: {
      Version: "1.0.2-dev",
      Process: {
        User: {},
        Args: ["/pause"],
        Cwd: "/",
        Capabilities: { Bounding: capabilities, Effective: capabilities, Permitted: capabilities },
        NoNewPrivileges: true,
        OOMScoreAdj: -998n,
      },
      Root: { Path: rootfs(id), Readonly: true },
      Hostname: "busy",
      Mounts: [...mounts.slice(0, 3), shm, ...mounts.slice(3), shm],
      Annotations: metadata,
      Linux: {
        Resources: unlimited ? noLimits : { CPU: { Shares: 2n } },
        CgroupsPath: `/pppods/pp1/${id}`,
        Namespaces: [{ Type: "ipc" }, { Type: "uts" }, { Type: "mount" }],
        MaskedPaths: masked,
        ReadonlyPaths: readonly,
      },
    },
  };
}

/** What differs from one workload to the next. */
export interface WorkloadOptions {
  readonly id: string;
  readonly command: string;
  readonly image?: string;
  readonly terminal?: boolean;
  readonly memoryLimit?: bigint;
  /** No limits at all, not even of devices: for hierarchies without controllers, on machines that do not let BPF in. */
  readonly unlimited?: boolean;
  readonly sharesPid?: boolean;
  readonly storages?: MessageInitShape<typeof CreateContainerRequestSchema>["storages"];
  readonly mounts?: readonly { destination: string; source: string; type?: string; options: string[] }[];
  readonly annotations?: Record<string, string>;
}

export function workloadRequest(
  options: WorkloadOptions,
): MessageInitShape<typeof CreateContainerRequestSchema> {
  const { id, command, image = "localhost/busybox:latest", memoryLimit = 67108864n } = options;
  const annotations = { "io.kubernetes.cri.container-type": "container", ...options.annotations };
  return {
    containerId: id,
    execId: id,
    storages: [imageStorage(id, image, annotations), ...(options.storages ?? [])],
    sandboxPidns: options.sharesPid ?? false,
    OCI: {
      Version: "1.0.2-dev",
      Process: {
        Terminal: options.terminal ?? false,
        User: { AdditionalGids: [0] },
        Args: ["/bin/busybox", "sh", "-c", command],
        Env: ["PATH=/bin", "HOSTNAME=busy"],
        Cwd: "/",
        Capabilities: { Bounding: capabilities, Effective: capabilities, Permitted: capabilities },
        OOMScoreAdj: 900n,
      },
      Root: { Path: rootfs(id) },
      Mounts: [
        ...mounts,
        {
          destination: "/sys/fs/cgroup",
          source: "cgroup",
          type: "cgroup",
          options: ["nosuid", "noexec", "nodev", "relatime", "ro"],
        },
        shm,
        ...(options.mounts ?? []),
      ],
      Annotations: annotations,
      Linux: {
        Resources: options.unlimited
          ? noLimits
          : {
              Memory: { Limit: memoryLimit, Swap: memoryLimit },
              CPU: { Shares: 512n, Quota: 50000n, Period: 100000n },
            },
        CgroupsPath: `/pppods/pp1/${id}`,
        Namespaces: [{ Type: "ipc" }, { Type: "uts" }, { Type: "mount" }],
      },
    },
  };
}

export function execRequest(
  containerId: string,
  execId: string,
  command: string,
  terminal = false,
): MessageInitShape<typeof ExecProcessRequestSchema> {
  return {
    containerId,
    execId,
    process: {
      Terminal: terminal,
      User: { AdditionalGids: [0] },
      Args: ["/bin/busybox", "sh", "-c", command],
      Env: ["PATH=/bin", "HOSTNAME=busy"],
      Cwd: "/",
    },
  };
}

function rootfs(id: string): string {
  return `/run/kata-containers/${id}/rootfs`;
}

function imageStorage(id: string, source: string, metadata: Record<string, string>) {
  return {
    driver: "image_guest_pull",
    driverOptions: [`image_guest_pull=${JSON.stringify({ metadata })}`],
    source,
    fstype: "overlay",
    mountPoint: rootfs(id),
  };
}
