import { endianness } from "node:os";
import { ProviderError } from "@peerpods/cloud-providers";

/** An IPv4 network for pod VMs. Its first address is the bridge's. */
export interface Subnet {
  /** Network address as a number. */
  readonly base: number;
  readonly prefixLength: number;
}

/**
 * Reads `10.213.0.0/20`: a network of /8 to /29 without host bits.
 * @throws ProviderError `invalid_config` that names the option.
 */
export function parseSubnet(text: string): Subnet {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(text);
  const base = parseAddress(match?.[1] ?? "");
  const prefixLength = Number(match?.[2]);
  const valid = base !== undefined && prefixLength >= 8 && prefixLength <= 29;
  if (!valid || base % size(prefixLength) !== 0)
    throw new ProviderError(
      "invalid_config",
      `local-subnet: ${JSON.stringify(text)} is not an IPv4 network of /8 to /29 such as 10.213.0.0/20`,
    );
  return { base, prefixLength };
}

/** `10.213.0.0/20`. */
export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.base)}/${subnet.prefixLength}`;
}

/** The bridge's own address. */
export function gatewayOf(subnet: Subnet): string {
  return formatAddress(subnet.base + 1);
}

/** The addresses for pod VMs, lowest first: all but network, gateway and broadcast. */
export function* vmAddresses(subnet: Subnet): Generator<string> {
  const end = subnet.base + size(subnet.prefixLength) - 1;
  for (let address = subnet.base + 2; address < end; address++) yield formatAddress(address);
}

/** Whether two networks share an address. */
export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.base < b.base + size(b.prefixLength) && b.base < a.base + size(a.prefixLength);
}

/** A network out of address and mask as the kernel prints them: words of eight hex digits in the machine's byte order. */
export function subnetOfWords(address: string, mask: string): Subnet {
  const number = (word: string): number => {
    const bytes = Buffer.from(word, "hex");
    return endianness() === "LE" ? bytes.readUInt32LE() : bytes.readUInt32BE();
  };
  return { base: number(address), prefixLength: 32 - Math.log2(2 ** 32 - number(mask)) };
}

/**
 * The hardware address that always goes with an IPv4 address. A later VM with the same address is then found at
 * once, although neighbours still remember the earlier one.
 */
export function hardwareAddress(address: string): string {
  const octets = address.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"));
  return ["02", "50", ...octets].join(":");
}

function parseAddress(text: string): number | undefined {
  const octets = text.split(".").map(Number);
  if (octets.length !== 4 || !/^[\d.]+$/.test(text)) return undefined;
  if (!octets.every((octet) => octet >= 0 && octet <= 255)) return undefined;
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

function size(prefixLength: number): number {
  return 2 ** (32 - prefixLength);
}
