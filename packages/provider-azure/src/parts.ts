import type { CallContext, Clock } from "@peerpods/cloud-providers";
import type { Arm } from "./client.ts";
import type { AzureConfig } from "./config.ts";
import type { Size } from "./sizes.ts";

/** What the operations of one provider work with. */
export interface Parts {
  readonly config: AzureConfig;
  readonly clock: Clock;
  /** Pause between looks where ARM names none. */
  readonly pollMs: number;
  /** The way to ARM; got ready when the first operation asks for it. */
  connect(call: CallContext): Promise<Arm>;
  /** The default size and all allowed ones. */
  sizes(call: CallContext): Promise<readonly Size[]>;
  /** Public SSH key of the administrator that Azure insists on. */
  sshKey(call: CallContext): Promise<string>;
}
