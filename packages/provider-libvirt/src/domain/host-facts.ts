import { ProviderError, type CallContext } from "@peerpods/cloud-providers";
import type { LaunchSecurity, LibvirtConfig } from "../config.ts";
import type { Connection } from "../virsh/connection.ts";
import { elementsAt, parseXml, textAt, type XmlElement } from "../xml.ts";
import type { Architecture, Machine } from "./hardware.ts";

/** What the libvirt host says of itself. */
export interface HostFacts {
  /** libvirt's name of its architecture. */
  readonly architecture: string;
  /** For each guest: its architecture, emulator, domain types and machine types. */
  readonly guests: readonly GuestFacts[];
  /** Numbers of its CPUs. */
  readonly cpus: readonly number[];
}

export interface GuestFacts {
  readonly architecture: string;
  readonly osType: string;
  readonly emulator: string;
  readonly domainTypes: readonly string[];
  /** Names and canonical names, as listed. */
  readonly machines: readonly { readonly name: string; readonly canonical: string }[];
}

export async function askHostFacts(connection: Connection, call: CallContext): Promise<HostFacts> {
  return parseHostFacts(await connection.ask("capabilities", [], call));
}

/** Reads what `virsh capabilities` has printed. */
export function parseHostFacts(xml: string): HostFacts {
  const document = parseXml(xml, "the host");
  return {
    architecture: textAt(document, "capabilities/host/cpu/arch"),
    guests: elementsAt(document, "capabilities/guest").map(guestFacts),
    cpus: elementsAt(document, "capabilities/host/topology/cells/cell/cpus/cpu").map((cpu) =>
      Number(textAt(cpu, "", "@id")),
    ),
  };
}

/** A guest's machines are listed once for the architecture and again for a domain type that has others. */
function guestFacts(guest: XmlElement): GuestFacts {
  const machines = ["arch/machine", "arch/domain/machine"].flatMap((path) => elementsAt(guest, path));
  return {
    architecture: textAt(guest, "arch", "@name"),
    osType: textAt(guest, "os_type"),
    emulator: textAt(guest, "arch/emulator"),
    domainTypes: elementsAt(guest, "arch/domain").map((domain) => textAt(domain, "", "@type")),
    machines: machines.map((machine) => ({
      name: textAt(machine, ""),
      canonical: textAt(machine, "", "@canonical"),
    })),
  };
}

/** Machine types by architecture: those with PCI Express, disks on virtio or SATA, and protected guests. */
const machineNames: Readonly<Record<Architecture, string>> = {
  x86_64: "q35",
  aarch64: "virt",
  s390x: "s390-ccw-virtio",
};

/**
 * Chooses the machine for this host and configuration.
 * @throws ProviderError `invalid_config` when the host cannot have it.
 */
export function chooseMachine(facts: HostFacts, config: LibvirtConfig): Machine {
  const architecture = isKnown(facts.architecture) ? facts.architecture : "x86_64";
  const launchSecurity = chooseLaunchSecurity(architecture, config);
  const guest = facts.guests.find((one) => one.architecture === architecture && one.osType === "hvm");
  const native = architecture === "x86_64";
  const wanted = machineNames[architecture];
  const listed = guest?.machines.find(({ name }) => name === wanted);
  if (!native && listed === undefined)
    throw new ProviderError(
      "invalid_config",
      `the libvirt host has no machine type ${wanted} for ${architecture}`,
    );
  return {
    architecture,
    machine: native ? (listed?.name ?? "") : listed?.canonical || wanted,
    emulator: native ? "" : (guest?.emulator ?? ""),
    domainType: config.domainType,
    firmware: config.firmware,
    diskBus: config.diskBus,
    launchSecurity,
  };
}

function chooseLaunchSecurity(
  architecture: Architecture,
  { launchSecurity: wanted }: LibvirtConfig,
): LaunchSecurity | undefined {
  if (wanted === "none") return undefined;
  if (wanted === "detect") return architecture === "s390x" ? "s390-pv" : undefined;
  const needs = wanted === "s390-pv" ? "s390x" : "x86_64";
  if (architecture === needs) return wanted;
  throw new ProviderError(
    "invalid_config",
    `launch-security ${wanted} is for ${needs}, but the libvirt host is ${architecture}`,
  );
}

function isKnown(architecture: string): architecture is Architecture {
  return architecture in machineNames;
}
