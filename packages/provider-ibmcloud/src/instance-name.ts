import { createHash } from "node:crypto";

const MAX_LENGTH = 63;

/**
 * What the instance of a token is called in the VPC. The VPC API knows no client tokens, but it refuses a second instance of one
 * name in a region: so the name is the token, and a repeated creation cannot make a second machine.
 */
export function vpcNameOf(token: string): string {
  const name = `pp-${token}`;
  if (name.length <= MAX_LENGTH && /[a-z0-9]$/.test(name)) return name;
  return `pp-${createHash("sha256").update(token).digest("hex").slice(0, 40)}`;
}
