export {
  FRAME_HEADER_LENGTH,
  FrameFlag,
  MAX_MESSAGE_LENGTH,
  MAX_STREAM_ID,
  MessageType,
  encodeFrame,
  encodeFrameHeader,
  oversizeMessage,
  setStreamId,
} from "./wire/frame.ts";
export { FrameDecoder } from "./wire/frame-decoder.ts";
export { MalformedEnvelopeError } from "./wire/protobuf-reader.ts";
export { MAX_METADATA_ENTRIES, decodeRequest, encodeRequest, readRequestHead } from "./wire/request.ts";
export { decodeResponse, encodeResult, encodeStatus } from "./wire/response.ts";
export type { Frame, FrameHeader } from "./wire/frame.ts";
export type { Delivery, FrameDecoderOptions, FrameSink } from "./wire/frame-decoder.ts";
export type { Metadata, RequestEnvelope, RequestHead } from "./wire/request.ts";
export type { AnyMessage, ResponseEnvelope, Status } from "./wire/response.ts";
