import type { CallContext, Clock } from "@peerpods/cloud-providers";
import type { LibvirtConfig } from "./config.ts";
import { askHostFacts, type HostFacts } from "./domain/host-facts.ts";
import type { Connection } from "./virsh/connection.ts";

/** A libvirt host as this provider uses it; what every operation works with. */
export interface LibvirtHost {
  readonly config: LibvirtConfig;
  readonly connection: Connection;
  readonly clock: Clock;
  /** Directory of this machine for files that are there for moments. */
  readonly stateDir: string;
  /** Asked once, since a host does not change while one is connected to it. */
  facts(call: CallContext): Promise<HostFacts>;
}

export function createHost(parts: Omit<LibvirtHost, "facts">): LibvirtHost {
  let known: HostFacts | undefined;
  return {
    ...parts,
    async facts(call) {
      known ??= await askHostFacts(parts.connection, call);
      return known;
    },
  };
}
