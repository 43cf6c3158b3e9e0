import { isIPv4 } from "node:net";
import type { Instance } from "../contract.ts";
import { ProviderError } from "../errors.ts";

/**
 * Checks the answer to a creation.
 * @throws ProviderError `internal`; its `left` has the id if there is one, for something was made.
 */
export function checkInstance(answer: unknown): Instance {
  const { id, name, addresses } = (answer ?? {}) as Partial<Record<keyof Instance, unknown>>;
  const left = typeof id === "string" && id !== "" ? [id] : [];
  const refuse = (what: string) =>
    new ProviderError("internal", `the provider answered a creation with ${what}`, { left });
  if (typeof id !== "string" || id === "") throw refuse("no instance id");
  if (typeof name !== "string" || name === "") throw refuse("no instance name");
  if (!Array.isArray(addresses) || addresses.length === 0) throw refuse("no address");
  const wrong: unknown = addresses.find((address) => typeof address !== "string" || !isIPv4(address));
  if (wrong !== undefined) throw refuse(`${JSON.stringify(wrong)}, which is no IPv4 address`);
  return { id, name, addresses: addresses as readonly string[] };
}
