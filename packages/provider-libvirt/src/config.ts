import { ProviderError } from "@peerpods/cloud-providers";
import { z } from "zod";

/** What can protect a VM from its host. */
export type LaunchSecurity = "s390-pv" | "sev" | "sev-snp";

/** Checked options, as the rest of the package uses them. */
export interface LibvirtConfig {
  readonly uri: string;
  readonly pool: string;
  readonly network: string;
  readonly baseVolume: string;
  /** `detect`: by the host's architecture. */
  readonly launchSecurity: LaunchSecurity | "detect" | "none";
  /** UEFI code file; empty: BIOS. */
  readonly firmware: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly cpuset: string;
  readonly rootDiskGiB: bigint;
  readonly domainType: "kvm" | "qemu";
  readonly diskBus: "sata" | "virtio";
  readonly directBoot?: DirectBoot;
  readonly addressSource: "lease" | "agent" | "arp";
  readonly addressTimeoutMs: number;
}

/** A kernel that the libvirt host loads into the VM. */
export interface DirectBoot {
  readonly kernel: string;
  readonly initrd: string;
  readonly args: string;
}

// Names become arguments and XML text: neither an option of virsh nor anything that cannot be seen.
const name = (what: string) =>
  z
    .string()
    .regex(
      /^[^\p{C}\p{Z}-][^\p{C}]*$/u,
      `${what} is empty, starts with - or a blank, or has control characters`,
    );
const line = (what: string) => z.string().regex(/^[^\p{C}]*$/u, `${what} has control characters`);
const path = (what: string) =>
  z.string().regex(/^(?:\/[^\p{C}]*)?$/u, `${what} is no absolute path on the libvirt host`);

const values = z
  .object({
    uri: name("uri"),
    "pool-name": name("pool-name"),
    "network-name": name("network-name"),
    "vol-name": name("vol-name"),
    "launch-security": z.enum(["", "s390-pv", "sev", "sev-snp"]),
    firmware: path("firmware"),
    cpu: z.int().min(1, "cpu is less than 1"),
    memory: z.int().min(1, "memory is less than 1"),
    cpuset: z
      .string()
      .regex(
        /^(?:\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)?$/,
        "cpuset is no list of CPUs and ranges of them, such as 0,2,4-7",
      ),
    "root-disk-size": z.bigint(),
    "disable-cvm": z.boolean(),
    "domain-type": z.enum(["kvm", "qemu"]),
    "boot-firmware": z.enum(["efi", "bios"]),
    "disk-bus": z.enum(["sata", "virtio"]),
    kernel: path("kernel"),
    initrd: path("initrd"),
    "kernel-args": line("kernel-args"),
    "address-source": z.enum(["lease", "agent", "arp"]),
    "address-timeout": z.number().positive("address-timeout is not positive"),
  })
  .refine((v) => v.kernel !== "" || (v.initrd === "" && v["kernel-args"] === ""), {
    message: "initrd and kernel-args need a kernel",
  });

/**
 * Checks option values.
 * @throws ProviderError `invalid_config` with one line for each option that is wrong.
 */
export function parseLibvirtConfig(input: Readonly<Record<string, unknown>>): LibvirtConfig {
  const parsed = values.safeParse(input);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ message, path: at }) =>
      at.length === 0 || message.startsWith(String(at[0])) ? message : `${at.join(".")}: ${message}`,
    );
    throw new ProviderError("invalid_config", lines.join("\n"));
  }
  const { data } = parsed;
  const { kernel, initrd } = data;
  return {
    uri: data.uri,
    pool: data["pool-name"],
    network: data["network-name"],
    baseVolume: data["vol-name"],
    launchSecurity: data["disable-cvm"] ? "none" : data["launch-security"] || "detect",
    firmware: data["boot-firmware"] === "bios" ? "" : data.firmware,
    vcpus: data.cpu,
    memoryMiB: data.memory,
    cpuset: data.cpuset,
    rootDiskGiB: data["root-disk-size"] === 0n ? 10n : data["root-disk-size"],
    domainType: data["domain-type"],
    diskBus: data["disk-bus"],
    addressSource: data["address-source"],
    addressTimeoutMs: data["address-timeout"],
    ...(kernel === "" ? {} : { directBoot: { kernel, initrd, args: data["kernel-args"] } }),
  };
}
