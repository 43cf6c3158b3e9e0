import { elementsAt, parseXml, textAt } from "../xml.ts";
import { metadataOf, type InstanceMetadata } from "./metadata.ts";

/** What libvirt tells of a domain. */
export interface DomainDescription {
  readonly id: string;
  readonly running: boolean;
  /** `undefined`: the domain is not ours. */
  readonly metadata: InstanceMetadata | undefined;
  readonly macs: readonly string[];
  readonly disks: readonly DomainDisk[];
}

export interface DomainDisk {
  /** Path on the host; empty for a volume that libvirt has not looked up. */
  readonly path: string;
  /** The volume's name in its pool, where it was given so. */
  readonly volume: string;
  readonly pool: string;
  readonly target: string;
}

/** Reads what `virsh dumpxml` has printed. */
export function describeDomain(xml: string): DomainDescription {
  const domain = parseXml(xml, "a domain");
  return {
    id: textAt(domain, "domain/uuid"),
    // Only a domain that runs has an id besides its UUID.
    running: textAt(domain, "domain", "@id") !== "",
    metadata: metadataOf(domain),
    macs: elementsAt(domain, "domain/devices/interface/mac").map((mac) => textAt(mac, "", "@address")),
    disks: elementsAt(domain, "domain/devices/disk").map((disk) => ({
      path: textAt(disk, "source", "@file") || textAt(disk, "source", "@dev"),
      volume: textAt(disk, "source", "@volume"),
      pool: textAt(disk, "source", "@pool"),
      target: textAt(disk, "target", "@dev"),
    })),
  };
}
