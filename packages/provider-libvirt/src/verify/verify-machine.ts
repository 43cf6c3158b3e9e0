import { type CallContext, type Finding } from "@peerpods/cloud-providers";
import { chooseMachine, type HostFacts } from "../domain/host-facts.ts";
import type { Machine } from "../domain/hardware.ts";
import type { LibvirtHost } from "../host.ts";
import { unlessGone } from "../virsh/connection.ts";
import { isProblem } from "../virsh/errors.ts";
import { elementsAt, parseXml, textAt, type XmlElement } from "../xml.ts";

/** Whether the host can run the machines that the options describe. */
export async function verifyMachine(
  host: LibvirtHost,
  facts: HostFacts,
  call: CallContext,
): Promise<readonly Finding[]> {
  const machine = chooseMachine(facts, host.config);
  const findings = [...verifyCpus(host, facts), ...verifyType(machine, facts)];
  // A host that cannot run this type of domain has nothing to say about it.
  if (findings.some(({ subject }) => subject === "domain-type")) return findings;
  const capabilities = await askCapabilities(host, machine, call);
  if (capabilities === undefined) return findings;
  return [
    ...findings,
    ...verifyFirmware(machine, capabilities),
    ...verifyLaunchSecurity(machine, capabilities),
  ];
}

function verifyCpus({ config }: LibvirtHost, { cpus }: HostFacts): readonly Finding[] {
  if (cpus.length === 0 || config.cpuset === "") return [];
  const numbers = config.cpuset.split(",").flatMap((part) => part.split("-").map(Number));
  const missing = numbers.filter((number) => !cpus.includes(number));
  if (missing.length === 0) return [];
  return [
    {
      severity: "error",
      subject: "cpuset",
      message: `the libvirt host has no CPU ${missing.join(", ")}`,
      remedy: `its CPUs are ${cpus.join(",")}`,
    },
  ];
}

function verifyType({ architecture, domainType }: Machine, { guests }: HostFacts): readonly Finding[] {
  const guest = guests.find((one) => one.architecture === architecture && one.osType === "hvm");
  if (guest === undefined || guest.domainTypes.includes(domainType)) return [];
  const remedy =
    domainType === "kvm"
      ? "load the module kvm_intel or kvm_amd and allow virtualisation in the firmware; or set domain-type to qemu, which is slow"
      : "install the QEMU emulator for this architecture";
  return [
    {
      severity: "error",
      subject: "domain-type",
      message: `the libvirt host cannot run ${domainType} domains of ${architecture}; it has ${guest.domainTypes.join(", ")}`,
      remedy,
    },
  ];
}

/** Drivers other than QEMU's have none. */
async function askCapabilities(
  { connection }: LibvirtHost,
  { architecture, domainType, machine }: Machine,
  call: CallContext,
): Promise<XmlElement | undefined> {
  const args = [
    "--virttype",
    domainType,
    "--arch",
    architecture,
    ...(machine === "" ? [] : ["--machine", machine]),
  ];
  try {
    const xml = await unlessGone(connection.ask("domcapabilities", args, call));
    return xml === undefined ? undefined : parseXml(xml, "what the host can do");
  } catch (error) {
    if (isProblem(error, "unsupported_flag")) return undefined;
    throw error;
  }
}

function verifyFirmware({ architecture, firmware }: Machine, capabilities: XmlElement): readonly Finding[] {
  if (architecture !== "x86_64" || firmware === "") return [];
  const known = elementsAt(capabilities, "domainCapabilities/os/loader/value").map((value) =>
    textAt(value, ""),
  );
  if (known.includes(firmware)) return [];
  return [
    {
      severity: "error",
      subject: "firmware",
      message: `the libvirt host does not know the UEFI firmware ${firmware}`,
      remedy:
        known.length > 0
          ? `it has ${known.join(", ")}`
          : "install it (package ovmf), or set boot-firmware to bios",
    },
  ];
}

function verifyLaunchSecurity({ launchSecurity }: Machine, capabilities: XmlElement): readonly Finding[] {
  if (launchSecurity === undefined) return [];
  const features = "domainCapabilities/features";
  const supported =
    launchSecurity === "s390-pv"
      ? textAt(capabilities, `${features}/s390-pv`, "@supported")
      : textAt(capabilities, `${features}/sev`, "@supported");
  if (supported === "yes") return [];
  return [
    {
      severity: "error",
      subject: "launch-security",
      message: `the libvirt host does not offer ${launchSecurity}`,
      remedy: "enable it in firmware and kernel of the host, or set disable-cvm",
    },
  ];
}
