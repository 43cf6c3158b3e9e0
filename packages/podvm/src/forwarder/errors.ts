/**
 * Why the forwarder cannot start or go on.
 *
 * - `config`: `apf.json` is missing or cannot be used
 * - `tls`: keys and certificates are missing, wrong or contradictory
 * - `network`: the pod network could not be set up
 * - `listen`: the address cannot be listened on
 * - `notify`: systemd asked to be notified and could not be
 */
export type ForwarderErrorCode = "config" | "tls" | "network" | "listen" | "notify";

/** The one error type of starting the forwarder. Messages never quote keys or file contents. */
export class ForwarderError extends Error {
  override readonly name = "ForwarderError";
  readonly code: ForwarderErrorCode;

  constructor(code: ForwarderErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
