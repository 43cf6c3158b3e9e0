import { createTtrpcServer } from "@peerpods/ttrpc";
import type { TtrpcServer, TtrpcServerOptions } from "@peerpods/ttrpc";

/**
 * Limits of the sockets that only root of this node reaches (hypervisor, control and relay socket). Whoever dials them has
 * a call to make at once, so a connection without one only takes a place away.
 */
export const localSocketLimits = {
  firstFrameTimeoutMs: 10_000,
  maxConnections: 1024,
  maxCallsPerConnection: 256,
} as const satisfies TtrpcServerOptions;

/** A ttrpc server for such a socket. `options` may change the limits. */
export function createLocalServer(
  routes: Parameters<typeof createTtrpcServer>[0],
  options: TtrpcServerOptions = {},
): TtrpcServer {
  return createTtrpcServer(routes, { ...localSocketLimits, ...options });
}
