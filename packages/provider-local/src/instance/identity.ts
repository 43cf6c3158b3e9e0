import { createHash } from "node:crypto";
import { ProviderError } from "@peerpods/cloud-providers";

/**
 * Names of everything that belongs to one instance. All follow from the state directory and the token, so that they
 * are known before anything is written, and instances of two state directories never meet.
 */
export interface InstanceNames {
  readonly id: string;
  /** Cgroup in every hierarchy. */
  readonly cgroup: string;
  /** This machine's end of the VM's cable; at most 15 characters. */
  readonly port: string;
}

/** Six hex digits that stand for a state directory. */
export function stateKey(stateDirectory: string): string {
  return hash(stateDirectory).slice(0, 6);
}

/** The instance of a token. */
export function namesOfToken(key: string, token: string): InstanceNames {
  return namesOfId(key, `local-${key}${hash(token).slice(0, 10)}`);
}

/** What an id of this provider looks like. */
export const instanceIdForm = /^local-[0-9a-f]{16}$/;

/**
 * The instance of a well-formed id.
 * @throws ProviderError `invalid_request` for an id of another state directory.
 */
export function namesOfId(key: string, id: string): InstanceNames {
  const digits = id.slice("local-".length);
  if (!digits.startsWith(key))
    throw new ProviderError("invalid_request", `instance ${id} belongs to another state directory`);
  return { id, cgroup: `peerpods-${id}`, port: `pl${digits.slice(0, 13)}` };
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
