import type { ConnectionTimeouts } from "../connection/frame-connection.ts";
import type { StreamBufferLimits } from "../connection/message-queue.ts";

/** Where a server reports what no caller can be told; a pino logger fits. */
export interface TtrpcLogger {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Limits of a server; every one has a default. Peers that exceed one get a status, or lose their connection only. */
export interface TtrpcServerOptions extends ConnectionTimeouts, StreamBufferLimits {
  /** Connections at once; a further one is closed at once. Default 1024. */
  readonly maxConnections?: number;
  /** Handlers running at once for one connection; further calls are answered RESOURCE_EXHAUSTED. Default 1024. */
  readonly maxCallsPerConnection?: number;
  /** Bytes of requests whose handlers are running, for one connection; more is RESOURCE_EXHAUSTED. Default 64 MiB. */
  readonly maxRequestBytesPerConnection?: number;
  /** Default: silent. */
  readonly logger?: TtrpcLogger;
}
