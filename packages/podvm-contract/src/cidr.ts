import { isIPv4, isIPv6 } from "node:net";

/** An address with a prefix length, as in `10.244.0.7/24`. Host bits are kept. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly address: string;
  readonly prefixLength: number;
}

/**
 * Reads `address/length`; `undefined` when the text is anything else.
 *
 * IPv4-mapped IPv6 text becomes IPv4. The reference daemon writes a default route as `::ffff:0.0.0.0/0`, that
 * is with the length counted in IPv4 bits, so lengths up to 32 are taken as such and 96 to 128 as IPv6 counts them.
 */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const address = text.slice(0, slash);
  const lengthText = text.slice(slash + 1);
  if (slash < 0 || !/^(?:0|[1-9]\d{0,2})$/.test(lengthText)) return undefined;
  const length = Number(lengthText);
  if (isIPv4(address)) return length <= 32 ? { family: 4, address, prefixLength: length } : undefined;
  if (!isIPv6(address) || address.includes("%") || length > 128) return undefined;
  const mapped = unmapIPv4(address);
  if (mapped === undefined) return { family: 6, address, prefixLength: length };
  if (length <= 32) return { family: 4, address: mapped, prefixLength: length };
  return length >= 96 ? { family: 4, address: mapped, prefixLength: length - 96 } : undefined;
}

/** The inverse of {@link parseCidr}. */
export function formatCidr(cidr: Omit<Cidr, "family">): string {
  return `${cidr.address}/${cidr.prefixLength}`;
}

/** Whether the text is one IPv4 or IPv6 address without zone or prefix length. */
export function isIpAddress(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes("%"));
}

function unmapIPv4(address: string): string | undefined {
  const tail = /^::ffff:(.+)$/i.exec(address)?.[1];
  return tail !== undefined && isIPv4(tail) ? tail : undefined;
}
