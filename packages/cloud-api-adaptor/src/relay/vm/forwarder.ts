import type { SecureContext } from "node:tls";
import type { RelayTarget } from "../../sandbox/relay-port.ts";

/** A pod VM's forwarder and how it is trusted. */
export interface Forwarder {
  readonly target: RelayTarget;
  /** Absent means plain TCP. */
  readonly tls?: { readonly context: SecureContext; readonly serverName: string } | undefined;
}

/** `address:port`, for messages. */
export function formatTarget({ host, port }: RelayTarget): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
