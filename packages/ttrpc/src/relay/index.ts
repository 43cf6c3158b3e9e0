export { tuneCollectorForRelaying } from "./collector.ts";
export { createFrameRelay } from "./frame-relay.ts";
export { returnMemoryWhenIdle, type IdleMemoryOptions } from "./idle-memory.ts";
export type {
  Answer,
  FrameRelay,
  FrameRelayOptions,
  FrameRelayStats,
  GatheredRequest,
  IfLost,
  RequestDecision,
  RequestSummary,
} from "./types.ts";
