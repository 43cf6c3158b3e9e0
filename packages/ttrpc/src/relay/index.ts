export type {
  Answer,
  CreateFrameRelay,
  FrameRelay,
  FrameRelayOptions,
  FrameRelayStats,
  GatheredRequest,
  IfLost,
  RequestDecision,
  RequestSummary,
} from "./types.ts";
