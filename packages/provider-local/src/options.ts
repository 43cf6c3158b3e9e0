import { ProviderError, type OptionSpec } from "@peerpods/cloud-providers";
import { unusablePath } from "./boot/vm-plan.ts";
import { parseSubnet, type Subnet } from "./network/subnet.ts";

/** Flags and environment of the local provider. */
export const localOptions: OptionSpec = [
  {
    flag: "local-bridge",
    env: "LOCAL_BRIDGE",
    type: "string",
    default: "pplocal0",
    help: "Bridge for pod VMs; made with the first VM and removed with the last",
  },
  {
    flag: "local-subnet",
    env: "LOCAL_SUBNET",
    type: "string",
    default: "10.213.0.0/20",
    help: "IPv4 network of that bridge; its first address is this machine's",
  },
  {
    flag: "local-mtu",
    env: "LOCAL_MTU",
    type: "int",
    default: 1500,
    min: 1280,
    max: 65_535,
    help: "MTU of the bridge when it is made; the VMs follow the bridge",
  },
  {
    flag: "local-nat",
    env: "LOCAL_NAT",
    type: "bool",
    default: false,
    help: "Let pod VMs reach other networks under this machine's address, e.g. to pull images",
  },
  {
    flag: "local-vcpus",
    env: "LOCAL_VCPUS",
    type: "int",
    default: 2,
    min: 0,
    max: 4096,
    help: "CPU limit of a pod VM whose pod wishes none; 0 is no limit",
  },
  {
    flag: "local-memory",
    env: "LOCAL_MEMORY",
    type: "int",
    default: 2048,
    min: 0,
    max: 16_777_216,
    help: "Memory limit in MiB of a pod VM whose pod wishes none; 0 is no limit",
  },
  {
    flag: "local-pids-limit",
    env: "LOCAL_PIDS_LIMIT",
    type: "int",
    default: 4096,
    min: 0,
    max: 4_194_304,
    help: "Most processes and threads in a pod VM; 0 is no limit",
  },
  {
    flag: "local-root-storage",
    env: "LOCAL_ROOT_STORAGE",
    type: "string",
    default: "disk",
    oneOf: ["disk", "memory"],
    help: "Where a VM's root keeps its changes: state directory, or memory that counts towards the VM's limit",
  },
  {
    flag: "local-cache-dir",
    env: "LOCAL_CACHE_DIR",
    type: "string",
    default: "/var/cache/peerpods/local",
    help: "Where the root image of pod VMs is built and kept",
  },
  {
    flag: "local-guest-dir",
    env: "LOCAL_GUEST_DIR",
    type: "string",
    default: "",
    help: "Directory with built guest programs; empty: those of the installed packages",
  },
  {
    flag: "local-image-dir",
    env: "LOCAL_IMAGE_DIR",
    type: "string",
    default: "",
    help: "Directory with OCI layouts, shown read-only to the agent in each VM as a source of images",
  },
  {
    flag: "local-agent",
    env: "LOCAL_AGENT",
    type: "string",
    default: "",
    help: "Path of a real kata-agent to run instead of the development agent",
  },
  {
    flag: "local-boot-timeout",
    env: "LOCAL_BOOT_TIMEOUT",
    type: "duration",
    default: "30s",
    help: "How long the boot of a pod VM may take until its network is up",
  },
];

/** The options, checked. */
export interface LocalConfig {
  readonly bridge: string;
  readonly subnet: Subnet;
  readonly mtu: number;
  readonly nat: boolean;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly pidsLimit: number;
  readonly rootStorage: "disk" | "memory";
  readonly cacheDirectory: string;
  readonly guestDirectory: string;
  readonly imageDirectory: string;
  readonly kataAgent: string;
  readonly bootTimeoutMs: number;
}

/**
 * Checks what types and ranges in {@link localOptions} do not say.
 * @throws ProviderError `invalid_config` with one line per wrong option.
 */
export function parseLocalConfig(values: Readonly<Record<string, unknown>>): LocalConfig {
  const problems: string[] = [];
  const string = (flag: string) => values[flag] as string;
  const path = (flag: string) => {
    const value = string(flag);
    if (value === "") return value;
    if (!value.startsWith("/")) problems.push(`${flag}: ${JSON.stringify(value)} is not an absolute path`);
    else problems.push(...pathProblems(flag, value));
    return value;
  };
  const bridge = string("local-bridge");
  if (!/^[a-zA-Z][a-zA-Z0-9_.-]{0,14}$/.test(bridge))
    problems.push(`local-bridge: ${JSON.stringify(bridge)} is not a link name of 1 to 15 letters and digits`);
  let subnet: Subnet | undefined;
  try {
    subnet = parseSubnet(string("local-subnet"));
  } catch (error) {
    problems.push((error as Error).message);
  }
  const paths = {
    cacheDirectory: path("local-cache-dir"),
    guestDirectory: path("local-guest-dir"),
    imageDirectory: path("local-image-dir"),
    kataAgent: path("local-agent"),
  };
  if (subnet === undefined || problems.length > 0)
    throw new ProviderError("invalid_config", problems.join("\n"));
  return {
    ...paths,
    bridge,
    subnet,
    mtu: Number(values["local-mtu"]),
    nat: values["local-nat"] === true,
    vcpus: Number(values["local-vcpus"]),
    memoryMiB: Number(values["local-memory"]),
    pidsLimit: Number(values["local-pids-limit"]),
    rootStorage: values["local-root-storage"] === "memory" ? "memory" : "disk",
    bootTimeoutMs: Number(values["local-boot-timeout"]),
  };
}

/** One line if a path cannot be used for a VM's root. */
export function pathProblems(subject: string, path: string): string[] {
  if (!unusablePath.test(path)) return [];
  return [
    `${subject}: ${JSON.stringify(path)} holds a blank, comma, colon, quote or backslash, which overlay mounts cannot take`,
  ];
}
