export { connectTtrpc } from "./client/connect.ts";
export { dialTtrpc } from "./client/dial.ts";
export { requestMetadata } from "./connection/metadata.ts";
export { createTtrpcServer } from "./server/server.ts";
export { errorFromStatus, isTtrpcClosed, statusFromError } from "./status/errors.ts";
export {
  FRAME_HEADER_LENGTH,
  Frame,
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
export type { FrameHeader, Span } from "./wire/frame.ts";
export type { Delivery, FrameDecoderOptions, FrameSink } from "./wire/frame-decoder.ts";
export type { Metadata, RequestEnvelope, RequestHead } from "./wire/request.ts";
export type { AnyMessage, ResponseEnvelope, Status } from "./wire/response.ts";
export type { TtrpcClientConnection, TtrpcClientOptions } from "./client/connect.ts";
export type { DialOptions } from "./client/dial.ts";
export type { TransportOptions } from "./client/transport.ts";
export type { TtrpcAddress } from "./connection/address.ts";
export type { ConnectionTimeouts } from "./connection/frame-connection.ts";
export type { StreamBufferLimits } from "./connection/message-queue.ts";
export type { TtrpcLogger, TtrpcServerOptions } from "./server/options.ts";
export type { ServedConnection, ShutdownOptions, TtrpcServer } from "./server/server.ts";
