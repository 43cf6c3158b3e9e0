import { createHash } from "node:crypto";

/**
 * Names of everything that belongs to one instance. All follow from its id, and the id from the token, so that a deletion
 * by either needs no record: not even the domain has to exist.
 */
export interface InstanceNames {
  /** UUID of the domain. */
  readonly id: string;
  readonly rootVolume: string;
  readonly cloudInitVolume: string;
  /** UEFI variables, in the pool, where a deletion finds them also when the domain is gone. */
  readonly nvramVolume: string;
}

/** What an id of this provider looks like: a UUID of version 8 (RFC 9562), which libvirt itself never gives. */
export const instanceIdForm = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The id of a token's instance: the same in every process. */
export function idOfToken(token: string): string {
  const bytes = createHash("sha256").update(`peerpods/libvirt\n${token}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function namesOfId(id: string): InstanceNames {
  const prefix = volumePrefix(id);
  return {
    id,
    rootVolume: `${prefix}root.qcow2`,
    cloudInitVolume: `${prefix}cloudinit.iso`,
    nvramVolume: `${prefix}nvram.fd`,
  };
}

/** What the name of each volume of an instance starts with. */
export function volumePrefix(id: string): string {
  return `podvm-${id}-`;
}

/** Two attempts of one sandbox have one instance name, but a host has each domain name once. */
export function domainName(instanceName: string, id: string): string {
  return `${instanceName}-${id.slice(0, 8)}`;
}

/** In QEMU's range, and fixed, because the domain is described twice (see `instance/create.ts`). */
export function macOf(id: string): string {
  const digits = createHash("sha256").update(`mac\n${id}`).digest("hex");
  return `52:54:00:${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4, 6)}`;
}
