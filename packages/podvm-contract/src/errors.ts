/**
 * What is wrong with a value that one end of a pod handed to the other.
 *
 * - `too_large`: the input exceeds the limit before it was looked at
 * - `invalid_apf`: not a valid `apf.json`
 * - `invalid_tls_profile`: unknown or contradictory TLS profile settings
 * - `invalid_initdata`: initdata that does not decode
 * - `out_of_range`: a number that the wire format cannot carry
 */
export type PodVMContractErrorCode =
  | "too_large"
  | "invalid_apf"
  | "invalid_tls_profile"
  | "invalid_initdata"
  | "out_of_range";

/** The one error type of this package. Messages never quote the input, which may hold private keys. */
export class PodVMContractError extends Error {
  override readonly name = "PodVMContractError";
  readonly code: PodVMContractErrorCode;

  constructor(code: PodVMContractErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
