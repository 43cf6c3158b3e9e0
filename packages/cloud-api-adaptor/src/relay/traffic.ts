import type { FrameRelayStats } from "@peerpods/ttrpc/relay";
import type { RelaySandbox } from "../sandbox/relay-port.ts";
import type { VmLink } from "./vm/link.ts";

/** What one sandbox has moved, as the control protocol shows it. */
export type Traffic = Pick<RelaySandbox, "frames" | "bytes" | "reconnects">;

export function noTraffic(): Traffic {
  return { frames: { toVm: 0, toShim: 0 }, bytes: { toVm: 0, toShim: 0 }, reconnects: 0 };
}

/** The traffic of one shim connection so far. */
export function trafficOf(connection: {
  readonly stats: FrameRelayStats;
  readonly link: VmLink | undefined;
}): Traffic {
  const { stats, link } = connection;
  return {
    frames: { toVm: stats.requests, toShim: stats.responses + stats.answeredHere },
    bytes: { toVm: stats.bytesUp, toShim: stats.bytesDown },
    reconnects: link?.reconnects ?? 0,
  };
}

export function addTraffic(a: Traffic, b: Traffic): Traffic {
  return {
    frames: { toVm: a.frames.toVm + b.frames.toVm, toShim: a.frames.toShim + b.frames.toShim },
    bytes: { toVm: a.bytes.toVm + b.bytes.toVm, toShim: a.bytes.toShim + b.bytes.toShim },
    reconnects: a.reconnects + b.reconnects,
  };
}
