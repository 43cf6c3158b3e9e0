import { decodeInitdata, encodeInitdata } from "@peerpods/podvm-contract";
import { SandboxError } from "../sandbox/errors.ts";

/**
 * Checks initdata that a pod brings (plain TOML; the shim decoded it): it must be what the pod VM will accept, since there
 * a mistake only shows as a VM that never gets ready.
 * @throws SandboxError `invalid_request`; the document is not quoted.
 */
export function checkInitdata(toml: string): void {
  try {
    decodeInitdata(encodeInitdata(toml));
  } catch (error) {
    throw new SandboxError("invalid_request", "the pod's initdata cannot be used", { cause: error });
  }
}
