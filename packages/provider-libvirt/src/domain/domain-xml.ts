import type { DirectBoot } from "../config.ts";
import { buildXml, type XmlElement } from "../xml.ts";
import { hardwareOf, type DiskSlot, type Hardware, type Machine } from "./hardware.ts";
import { metadataElement, type InstanceMetadata } from "./metadata.ts";

/** Everything that a domain is made of. */
export interface DomainPlan {
  readonly id: string;
  readonly domainName: string;
  /** For people, as `virsh list --title` shows it. */
  readonly title: string;
  readonly metadata: InstanceMetadata;
  readonly machine: Machine;
  readonly vcpus: number;
  readonly cpuset: string;
  readonly memoryMiB: number;
  readonly directBoot?: DirectBoot;
  readonly pool: string;
  readonly network: string;
  readonly mac: string;
  /** Paths on the libvirt host. */
  readonly rootPath: string;
  readonly cloudInitPath: string;
  /** Where UEFI variables are kept; absent: where libvirt likes. */
  readonly nvramPath?: string;
  /** Data volumes by name in the pool. */
  readonly dataVolumes: readonly DataVolume[];
}

export interface DataVolume {
  readonly name: string;
  readonly format: string;
}

/** The domain's XML: the same text for the same plan. */
export function domainXml(plan: DomainPlan): string {
  const { machine, cpuset } = plan;
  const hardware = hardwareOf(machine);
  return buildXml({
    domain: {
      "@type": machine.domainType,
      name: plan.domainName,
      uuid: plan.id,
      title: plan.title,
      metadata: metadataElement(plan.metadata),
      memory: { "@unit": "MiB", "#text": String(plan.memoryMiB), ...dumpCore(machine) },
      currentMemory: { "@unit": "MiB", "#text": String(plan.memoryMiB) },
      vcpu: { "#text": String(plan.vcpus), ...(cpuset === "" ? {} : { "@cpuset": cpuset }) },
      os: osElement(plan, hardware),
      ...hardware.domain,
      // A VM that its guest has ended stays ended: the sandbox is over.
      on_poweroff: "destroy",
      on_reboot: "restart",
      on_crash: "destroy",
      devices: {
        ...(machine.emulator === "" ? {} : { emulator: machine.emulator }),
        disk: disks(plan, hardware),
        interface: {
          "@type": "network",
          mac: { "@address": plan.mac },
          source: { "@network": plan.network },
          model: { "@type": "virtio" },
          ...(hardware.virtioDriver === undefined ? {} : { driver: hardware.virtioDriver }),
        },
        // Lets the host ask the guest's agent for addresses, where the image has one.
        channel: { "@type": "unix", target: { "@type": "virtio", "@name": "org.qemu.guest_agent.0" } },
        console: consoleElement(machine),
        ...hardware.devices,
      },
    },
  });
}

/** The guest's memory, secrets in it, stays out of a core file of the emulator. */
function dumpCore({ architecture }: Machine): XmlElement {
  return architecture === "x86_64" ? { "@dumpCore": "off" } : {};
}

function osElement({ machine, directBoot, nvramPath }: DomainPlan, { os }: Hardware): XmlElement {
  const type = {
    "#text": "hvm",
    ...(machine.architecture === "x86_64" ? {} : { "@arch": machine.architecture }),
    ...(machine.machine === "" ? {} : { "@machine": machine.machine }),
  };
  const boot =
    directBoot === undefined
      ? {}
      : {
          kernel: directBoot.kernel,
          ...(directBoot.initrd === "" ? {} : { initrd: directBoot.initrd }),
          ...(directBoot.args === "" ? {} : { cmdline: directBoot.args }),
        };
  const isUefi = os["@firmware"] !== undefined || os["loader"] !== undefined;
  const keepsVariables = isUefi && machine.launchSecurity === undefined;
  return { type, ...os, ...(keepsVariables && nvramPath !== undefined ? { nvram: nvramPath } : {}), ...boot };
}

function disks(plan: DomainPlan, { rootDisk, cloudInitDisk, virtioDriver }: Hardware): XmlElement[] {
  const used = [rootDisk, cloudInitDisk].filter(({ bus }) => bus === "virtio").length;
  return [
    {
      "@type": "file",
      "@device": "disk",
      driver: { "@name": "qemu", "@type": "qcow2", ...rootDisk.driver },
      source: { "@file": plan.rootPath },
      target: targetOf(rootDisk),
      boot: { "@order": "1" },
    },
    {
      "@type": "file",
      "@device": cloudInitDisk.device,
      driver: { "@name": "qemu", "@type": "raw", ...cloudInitDisk.driver },
      source: { "@file": plan.cloudInitPath },
      target: targetOf(cloudInitDisk),
      readonly: "",
    },
    ...plan.dataVolumes.map(({ name, format }, index) => ({
      "@type": "volume",
      "@device": "disk",
      driver: { "@name": "qemu", "@type": format, ...virtioDriver },
      source: { "@pool": plan.pool, "@volume": name },
      target: { "@dev": `vd${String.fromCharCode("a".charCodeAt(0) + used + index)}`, "@bus": "virtio" },
    })),
  ];
}

function targetOf({ target, bus }: DiskSlot): XmlElement {
  return { "@dev": target, "@bus": bus };
}

function consoleElement({ architecture }: Machine): XmlElement {
  return { "@type": "pty", target: { "@type": architecture === "s390x" ? "sclp" : "serial" } };
}
