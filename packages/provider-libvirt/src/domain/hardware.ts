import type { LaunchSecurity, LibvirtConfig } from "../config.ts";
import type { XmlElement } from "../xml.ts";

/** Architectures that need descriptions of their own; every other one is described as x86_64 is. */
export type Architecture = "x86_64" | "aarch64" | "s390x";

/** What of a domain depends on the host and the kind of machine. */
export interface Machine {
  readonly architecture: Architecture;
  /** libvirt's canonical name of the machine type; empty: the host's default. */
  readonly machine: string;
  /** Path of the emulator; empty: the host's default. */
  readonly emulator: string;
  readonly domainType: LibvirtConfig["domainType"];
  /** UEFI code file for x86_64; empty: BIOS. */
  readonly firmware: string;
  readonly diskBus: LibvirtConfig["diskBus"];
  readonly launchSecurity: LaunchSecurity | undefined;
}

/** The parts of a domain's XML that differ between machines. */
export interface Hardware {
  /** Children of `domain`. */
  readonly domain: XmlElement;
  /** Children and attributes of `os` beside `type`. */
  readonly os: XmlElement;
  /** Children of `devices`. */
  readonly devices: XmlElement;
  readonly rootDisk: DiskSlot;
  readonly cloudInitDisk: DiskSlot & { readonly device: "disk" | "cdrom" };
  /** Attributes of each virtio device's `driver`. */
  readonly virtioDriver: XmlElement | undefined;
}

/** Where a disk is plugged in. */
export interface DiskSlot {
  readonly bus: "sata" | "scsi" | "virtio";
  readonly target: string;
  readonly driver?: XmlElement;
}

/** Devices reach only memory that the guest shares with them. Needed for protected guests, harmless for others. */
const iommu: XmlElement = { "@iommu": "on" };
const virtioBalloon: XmlElement = { "@model": "virtio", driver: iommu };

export function hardwareOf(machine: Machine): Hardware {
  switch (machine.architecture) {
    case "x86_64":
      return x86(machine);
    case "aarch64":
      return arm(machine);
    case "s390x":
      return s390(machine);
    default:
      return machine.architecture satisfies never;
  }
}

function x86({ firmware, diskBus, domainType, launchSecurity }: Machine): Hardware {
  const sev = launchSecurity === "sev" || launchSecurity === "sev-snp";
  const virtio = diskBus === "virtio" || sev;
  // A protected guest's firmware is measured, so it keeps no variables.
  const loader = sev
    ? { "@type": "rom", "@stateless": "yes", "#text": firmware }
    : { "@readonly": "yes", "@type": "pflash", "#text": firmware };
  return {
    domain: {
      cpu: domainType === "kvm" ? { "@mode": "host-model" } : { "@mode": "maximum" },
      features: { acpi: "", apic: "", ...(domainType === "kvm" ? { vmport: { "@state": "off" } } : {}) },
      ...(sev ? { launchSecurity: sevElement(launchSecurity), memoryBacking: { locked: "" } } : {}),
    },
    // Not with firmware="efi" beside: libvirt from 9 on refuses to choose a firmware that was chosen already.
    os: firmware === "" ? {} : { loader },
    devices: sev ? { memballoon: virtioBalloon, rng: randomness(iommu) } : {},
    rootDisk: virtio ? virtioDisk("vda", sev) : { bus: "sata", target: "sda" },
    cloudInitDisk: virtio
      ? { ...virtioDisk("vdb", sev), device: "disk" }
      : { bus: "sata", target: "sdb", device: "cdrom" },
    virtioDriver: sev ? iommu : undefined,
  };
}

/** SEV: no debugging, no key sharing, encrypted state (ES). SNP: the reserved bit that must be set, and threads. */
function sevElement(kind: "sev" | "sev-snp"): XmlElement {
  return { "@type": kind, policy: kind === "sev" ? "0x0007" : "0x30000" };
}

function arm({ domainType }: Machine): Hardware {
  return {
    domain: { cpu: { "@mode": domainType === "kvm" ? "host-passthrough" : "maximum" } },
    os: { "@firmware": "efi" },
    devices: {
      memballoon: virtioBalloon,
      controller: { "@type": "scsi", "@model": "virtio-scsi" },
    },
    rootDisk: virtioDisk("vda", true),
    cloudInitDisk: { bus: "scsi", target: "sda", device: "cdrom" },
    virtioDriver: iommu,
  };
}

function s390({ domainType, launchSecurity }: Machine): Hardware {
  return {
    domain: {
      cpu: { "@mode": domainType === "kvm" ? "host-model" : "maximum" },
      clock: { "@offset": "utc" },
      ...(launchSecurity === "s390-pv" ? { launchSecurity: { "@type": "s390-pv" } } : {}),
    },
    os: {},
    devices: { memballoon: virtioBalloon, rng: randomness() },
    rootDisk: virtioDisk("vda", true),
    cloudInitDisk: { ...virtioDisk("vdb", true), device: "disk" },
    virtioDriver: iommu,
  };
}

function virtioDisk(target: string, protectedGuest: boolean): DiskSlot {
  return { bus: "virtio", target, ...(protectedGuest ? { driver: iommu } : {}) };
}

function randomness(driver?: XmlElement): XmlElement {
  return {
    "@model": "virtio",
    backend: { "@model": "random", "#text": "/dev/urandom" },
    ...(driver === undefined ? {} : { driver }),
  };
}
