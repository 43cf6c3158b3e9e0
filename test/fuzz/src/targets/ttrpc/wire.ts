import { Buffer } from "node:buffer";
import { encodeFrame, encodeRequest, encodeStatus, FrameFlag, MessageType } from "@peerpods/ttrpc";
import { dataFrame, requestFrame } from "../../internals.ts";

const text = (value: string): Buffer => Buffer.concat([Buffer.of(0x0a, value.length), Buffer.from(value)]);

/** Connections as a client begins them: one call, several, a stream. */
export const clientBytes: readonly Buffer[] = [
  requestFrame(1, "Say", { payload: text("hi") }),
  Buffer.concat([
    requestFrame(1, "Say", { payload: text("a"), timeoutNano: 1_000_000_000n, metadata: [["k", "v"]] }),
    requestFrame(3, "Fail", { payload: text("5:no") }),
    requestFrame(5, "NoSuch"),
  ]),
  Buffer.concat([
    requestFrame(1, "Sum", { flags: FrameFlag.RemoteOpen }),
    dataFrame(1, "0802"),
    dataFrame(1, "", FrameFlag.RemoteClosed | FrameFlag.NoData),
  ]),
  Buffer.concat([
    requestFrame(1, "Chat", { flags: FrameFlag.RemoteOpen }),
    dataFrame(1, "0a0161"),
    requestFrame(3, "Count", { payload: Buffer.of(8, 3), flags: FrameFlag.RemoteClosed }),
    dataFrame(1, "", FrameFlag.RemoteClosed),
  ]),
];

const answer = (streamId: number, body: Uint8Array): Buffer =>
  encodeFrame({ streamId, type: MessageType.Response }, Buffer.from(body));

/** Connections as a server answers them. */
export const serverBytes: readonly Buffer[] = [
  Buffer.concat([answer(1, Buffer.concat([Buffer.of(0x12, 4), text("hi")])), answer(3, Buffer.alloc(0))]),
  answer(1, encodeStatus({ code: 5, message: "no", details: [] })),
  Buffer.concat([dataFrame(3, "0801"), dataFrame(3, "0802"), answer(3, Buffer.alloc(0))]),
  Buffer.concat([dataFrame(3, "0801", FrameFlag.RemoteClosed), answer(1, Buffer.alloc(0))]),
];

/** Words of ttrpc: frame headers and field tags. */
export const ttrpcWords: readonly Buffer[] = [
  ...[1, 2, 3].flatMap((type) =>
    [1, 2, 3, 0x7fffffff].map((streamId) => {
      const header = Buffer.alloc(10);
      header.writeUInt32BE(streamId, 4);
      header[8] = type;
      return header;
    }),
  ),
  ...["Say", "Sum", "Chat", "Count", "Hang"].map((method) => requestFrame(1, method).subarray(10)),
  encodeRequest({
    service: "s",
    method: "m",
    payload: Buffer.alloc(0),
    timeoutNano: -1n,
    metadata: [["a", "b"]],
  }),
];
