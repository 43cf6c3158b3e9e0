/** Deadlines and limits towards clients and agent. Times in milliseconds. */
export interface ForwarderLimits {
  /** From the TCP connection to the end of the TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** From there to the first complete frame. */
  readonly firstFrameTimeoutMs: number;
  /** From the beginning of a frame to its end. */
  readonly frameTimeoutMs: number;
  /** Connections in their handshake; above it the oldest is dropped, so that a flood cannot keep the relay out. */
  readonly maxHandshakes: number;
  /** Connections of clients that were let in; above it new ones are refused. */
  readonly maxConnections: number;
  readonly maxCallsPerConnection: number;
  /** How long calls wait for the agent to be there. */
  readonly agentDialTimeoutMs: number;
}

export const defaultLimits: ForwarderLimits = {
  handshakeTimeoutMs: 10_000,
  firstFrameTimeoutMs: 60_000,
  frameTimeoutMs: 60_000,
  maxHandshakes: 64,
  maxConnections: 32,
  maxCallsPerConnection: 4096,
  agentDialTimeoutMs: 60_000,
};
