import { Code } from "@connectrpc/connect";
import type { FrameRelayOptions } from "./types.ts";

/** The options with their defaults. */
export function settingsOf(options: FrameRelayOptions) {
  return {
    onRequest: options.onRequest ?? (() => ({ action: "forward" }) as const),
    onUpstreamLost: options.onUpstreamLost ?? (() => undefined),
    lostAnswer: options.lostAnswer ?? { code: Code.Unavailable, message: "upstream connection lost" },
    maxPendingCalls: options.maxPendingCalls ?? 4096,
    maxRetainedBytes: options.maxRetainedBytes ?? 16 << 20,
    maxHeldResponseBytes: options.maxHeldResponseBytes ?? 256 << 10,
    frameTimeoutMs: options.frameTimeoutMs ?? 60_000,
    firstFrameTimeoutMs: options.firstFrameTimeoutMs ?? 0,
  };
}

export type FrameRelaySettings = ReturnType<typeof settingsOf>;
