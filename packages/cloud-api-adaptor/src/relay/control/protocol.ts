/**
 * Version of `peerpods.relay.v1` spoken here. 1: Hello, Open, Close, List. 2: Watch, and the process id in Hello.
 * 3: the time of the first container.
 * A relay with pods cannot be restarted for an upgrade, so the daemon speaks to every version from 1 on; what an older relay
 * lacks is done another way.
 */
export const RELAY_PROTOCOL = 3;

/** The oldest version that this program still drives. */
export const OLDEST_RELAY_PROTOCOL = 1;

/** Path of the relay's control socket unless configured otherwise. */
export const DEFAULT_RELAY_SOCKET = "/run/peerpod/relay.sock";
