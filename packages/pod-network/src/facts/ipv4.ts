import type { Cidr } from "@peerpods/podvm-contract";

/** An IPv4 address as a number, for ordering and masking. */
export function ipv4Value(address: string): number {
  return address.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}

/** The network of an IPv4 prefix: host bits cleared, as the kernel wants route destinations. */
export function networkOf({ address, prefixLength }: Pick<Cidr, "address" | "prefixLength">): string {
  const hostCount = 2 ** (32 - prefixLength);
  const value = Math.floor(ipv4Value(address) / hostCount) * hostCount;
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256);
  return `${octets.join(".")}/${prefixLength}`;
}
