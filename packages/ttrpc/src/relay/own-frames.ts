import { Code, ConnectError } from "@connectrpc/connect";
import {
  FRAME_HEADER_LENGTH,
  MAX_MESSAGE_LENGTH,
  MessageType,
  oversizeMessage,
  writeFrameHeader,
} from "../wire/frame.ts";
import { decodeRequest, encodeRequest } from "../wire/request.ts";
import { encodeResult, encodeStatus } from "../wire/response.ts";
import type { Accepted } from "./request-side.ts";
import type { Answer } from "./types.ts";

/** A Response frame that the relay gives itself. */
export function answerFrame(streamId: number, answer: Answer): Buffer {
  const frame =
    "payload" in answer
      ? encodeResult(answer.payload, FRAME_HEADER_LENGTH)
      : encodeStatus(answer, FRAME_HEADER_LENGTH);
  const length = frame.length - FRAME_HEADER_LENGTH;
  writeFrameHeader(frame, { length, streamId, type: MessageType.Response, flags: 0 });
  return frame;
}

/** What an error of an edit is answered with. */
export function answerOf(error: unknown): Answer {
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return { code: Code.DeadlineExceeded, message: "context deadline exceeded" };
  }
  const { code, rawMessage } = ConnectError.from(error);
  return { code, message: rawMessage };
}

/** Milliseconds the caller of a request waited yet when it came; undefined is for ever. */
export function timeLeft(body: Buffer): number | undefined {
  const { timeoutNano } = decodeRequest(body);
  return timeoutNano === 0n ? undefined : Number(timeoutNano) / 1e6;
}

/** Lets `edit` change a gathered request and builds the frame that goes out instead; its stream id is still 0. */
export async function editRequest(
  frame: Buffer,
  edit: Extract<Accepted, { readonly action: "edit" }>["edit"],
  signal: AbortSignal,
): Promise<Buffer> {
  const bodyLength = frame.length - FRAME_HEADER_LENGTH;
  const envelope = decodeRequest(frame.subarray(FRAME_HEADER_LENGTH));
  const payload = await edit({ ...envelope, bodyLength }, { signal });
  const edited = encodeRequest({ ...envelope, payload }, FRAME_HEADER_LENGTH);
  const length = edited.length - FRAME_HEADER_LENGTH;
  if (length > MAX_MESSAGE_LENGTH) throw new ConnectError(oversizeMessage(length), Code.ResourceExhausted);
  writeFrameHeader(edited, { length, streamId: 0, type: MessageType.Request, flags: 0 });
  return edited;
}
