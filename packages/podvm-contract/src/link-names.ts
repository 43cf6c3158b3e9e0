/**
 * Whether the kernel takes the text as the name of a network interface and every tool passes it on unharmed:
 * 1 to 15 visible ASCII characters without `/`, `:`, `%`, quotes, `#` and backslash, not starting with `-` or `.`.
 */
export function isInterfaceName(text: string): boolean {
  return /^[A-Za-z0-9_+=,@~][A-Za-z0-9_+=,@~.-]{0,14}$/.test(text);
}

/** Whether the text is a 48-bit MAC address in colon form. */
export function isMacAddress(text: string): boolean {
  return /^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}$/.test(text);
}
