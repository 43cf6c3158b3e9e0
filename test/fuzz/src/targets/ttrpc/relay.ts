import { Buffer } from "node:buffer";
import { duplexPair } from "node:stream";
import type { Duplex } from "node:stream";
import { FrameDecoder, MessageType, decodeResponse, readRequestHead } from "@peerpods/ttrpc";
import type { Frame } from "@peerpods/ttrpc";
import { createFrameRelay } from "@peerpods/ttrpc/relay";
import { require } from "../../allowed.ts";
import { stateless } from "../../target.ts";
import type { FuzzTarget } from "../../target.ts";
import { clientBytes, serverBytes, ttrpcWords } from "./wire.ts";

/**
 * The input is the bytes of both sides: a length, what the client sends, what the server sends. Whatever they are, the
 * server gets proper requests only, the client proper responses only, and everything ends.
 */
export const relay: FuzzTarget = {
  name: "frame-relay",
  boundary: "agent.ttrpc (what a shim sends) and the VM connection (what the VM sends)",
  seeds: clientBytes.flatMap((up) => serverBytes.map((down) => Buffer.concat([lengthOf(up), up, down]))),
  words: ttrpcWords,
  open: stateless(async (input) => {
    const split = 2 + (input.length < 2 ? 0 : input.readUInt16BE(0));
    const [client, downstream] = duplexPair();
    const [upstream, server] = duplexPair();
    joinEnds(client, downstream);
    joinEnds(upstream, server);
    const frames = createFrameRelay(downstream, {
      onRequest: ({ method }) => {
        if (method === "Say") return { action: "edit", ifLost: "reissue", edit: ({ payload }) => payload };
        if (method === "Count") return { action: "answer", answer: { payload: new Uint8Array() } };
        return { action: "forward" };
      },
      maxPendingCalls: 8,
    });
    frames.connect(upstream);
    const ids: number[] = [];
    const ended = Promise.all([
      readFrames(server, ({ type, streamId, body }) => {
        require(type === MessageType.Request, `the server gets requests, not type ${type}`);
        require(streamId % 2 === 1 && streamId > (ids.at(-1) ?? 0), "stream ids are odd and grow");
        ids.push(streamId);
        // What is behind service and method passes as it is; a server answers what is wrong with it.
        readRequestHead(body);
      }),
      readFrames(client, ({ type, body }) => {
        require(type === MessageType.Response, `the client gets responses, not type ${type}`);
        // Responses pass as they are, but the relay's own must be well-formed: here the server sends none of its own.
        if (input.length <= split) decodeResponse(body);
      }),
    ]);
    server.write(input.subarray(split));
    client.end(input.subarray(2, split));
    await frames.closed;
    await ended;
  }),
};

/** Ends of a pair do not close each other by themselves, which sockets do. */
function joinEnds(a: Duplex, b: Duplex): void {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    one.on("error", () => undefined).on("close", () => other.destroy());
  }
}

/** Resolves when the stream has closed; rejects with what `onFrame` throws. */
function readFrames(stream: Duplex, onFrame: (frame: Frame) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const decoder = new FrameDecoder({
      onFrame,
      onOversize: () => reject(new Error("a frame above the limit")),
    });
    stream.on("data", (chunk: Buffer) => {
      try {
        decoder.push(chunk);
      } catch (error) {
        decoder.stop();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    stream.on("end", () => stream.destroy()).on("close", resolve);
  });
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return length;
}
