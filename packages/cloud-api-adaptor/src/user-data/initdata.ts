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

/**
 * Checks the daemon's default initdata, which is configured as the pod VM gets it: base64 of gzip of TOML.
 * @throws PodVMContractError `invalid_initdata` or `too_large`
 */
export function checkEncodedInitdata(text: string): void {
  decodeInitdata(text);
}
