import type { ApfConfig } from "@peerpods/podvm-contract";
import type { RelayTls } from "../sandbox/ports.ts";

/** Both ends of one pod's TLS connection. */
export interface PodTls {
  /** Goes into the VM's `apf.json`. */
  readonly guest: Pick<ApfConfig, "tlsServerKey" | "tlsServerCert" | "tlsClientCa">;
  /** Goes to the agent relay, with the profile added. */
  readonly relay: Pick<RelayTls, "ca" | "cert" | "key" | "serverName">;
}

/** Where the TLS material of pods comes from: made by this node, or files that the operator provides. */
export interface PodTlsSource {
  /**
   * Material for one start of one pod VM. Both ends fit together, whatever is rotated meanwhile.
   * @param serverName instance name of the pod VM, at most 63 characters.
   */
  issue(serverName: string): Promise<PodTls>;
}
