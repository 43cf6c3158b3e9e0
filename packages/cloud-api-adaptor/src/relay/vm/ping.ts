import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { encodeFrame, FrameDecoder, MessageType } from "@peerpods/ttrpc";

/** Even, so every ttrpc server answers with an error and forgets it; ids used later are not affected. */
const PING_STREAM_ID = 2;
const MAX_ANSWER_BYTES = 4096;

/**
 * Asks a ttrpc server for a sign of life without making a call: a request with an even stream id is refused by every
 * server before anything else is looked at, and changes nothing there.
 *
 * It proves what a finished handshake does not: with TLS 1.3 a server refuses the client's certificate only
 * afterwards. Resolves on the answer with the stream as fresh as before; rejects when the stream ends, on any other frame,
 * or with `signal.reason`. A stream it rejects for is of no further use.
 */
export async function pingServer(stream: Duplex, options: { readonly signal: AbortSignal }): Promise<void> {
  options.signal.throwIfAborted();
  const answered = Promise.withResolvers<void>();
  const decoder = new FrameDecoder(
    {
      onFrame: ({ streamId, type }) => {
        if (streamId === PING_STREAM_ID && type === MessageType.Response) answered.resolve();
        else answered.reject(new Error("the other side answered with a frame that nobody asked for"));
      },
      onOversize: () => answered.reject(new Error("the other side does not speak ttrpc")),
    },
    { maxLength: MAX_ANSWER_BYTES },
  );
  const onData = (chunk: Buffer): void => decoder.push(chunk);
  const onError = (error: Error): void => answered.reject(error);
  const onEnd = (): void => answered.reject(new Error("the connection was closed without an answer"));
  const onAbort = (): void => answered.reject(options.signal.reason as Error);

  stream.on("data", onData).on("error", onError).once("end", onEnd).once("close", onEnd);
  options.signal.addEventListener("abort", onAbort, { once: true });
  try {
    stream.write(encodeFrame({ streamId: PING_STREAM_ID, type: MessageType.Request }, new Uint8Array()));
    await answered.promise;
    if (decoder.midFrame) throw new Error("the other side sent more than the answer");
  } finally {
    stream.pause();
    stream.off("data", onData).off("error", onError).off("end", onEnd).off("close", onEnd);
    options.signal.removeEventListener("abort", onAbort);
    decoder.stop();
  }
}
