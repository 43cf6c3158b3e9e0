import { Buffer } from "node:buffer";
import { ProtobufReader, WireType } from "./protobuf-reader.ts";
import { ProtobufWriter, delimitedLength, int64Length } from "./protobuf-writer.ts";

/** A protobuf message of any type, as `google.protobuf.Any` carries it. */
export interface AnyMessage {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** Outcome of a call, with the numbers of gRPC: 0 is OK. Code and message are kept as received. */
export interface Status {
  readonly code: number;
  readonly message: string;
  readonly details?: readonly AnyMessage[];
}

/** The body of a Response frame. */
export interface ResponseEnvelope {
  /** Absent means OK. Some servers send an empty one for OK instead; it decodes as code 0. */
  readonly status?: Status;
  /** The serialized response message. A decoded one shares memory with the frame. */
  readonly payload: Uint8Array;
}

/** Most details of one status that are decoded; the rest is left out, since they only explain a failure. */
const MAX_STATUS_DETAILS = 64;

const Field = { Status: 1, Payload: 2 } as const;
const StatusField = { Code: 1, Message: 2, Details: 3 } as const;
const AnyField = { TypeUrl: 1, Value: 2 } as const;
const NOTHING = Buffer.alloc(0);

/** Encodes a successful answer. With `reserve`, that many bytes are left free in front of it (for a frame header). */
export function encodeResult(payload: Uint8Array, reserve = 0): Buffer {
  if (payload.length === 0) return Buffer.alloc(reserve);
  const target = Buffer.allocUnsafe(reserve + delimitedLength(payload.length));
  new ProtobufWriter(target, reserve).bytes(Field.Payload, payload);
  return target;
}

/** Encodes a status as an answer without a payload; code and message go out byte for byte. */
export function encodeStatus(status: Status, reserve = 0): Buffer {
  const code = BigInt(Math.trunc(status.code));
  const messageLength = Buffer.byteLength(status.message);
  const details = (status.details ?? []).map((detail) => ({ ...detail, length: anyLength(detail) }));
  let size = 0;
  if (code !== 0n) size += 1 + int64Length(code);
  if (messageLength > 0) size += delimitedLength(messageLength);
  for (const { length } of details) size += delimitedLength(length);

  const target = Buffer.allocUnsafe(reserve + delimitedLength(size));
  const writer = new ProtobufWriter(target, reserve);
  writer.open(Field.Status, size);
  if (code !== 0n) writer.int64(StatusField.Code, code);
  if (messageLength > 0) writer.string(StatusField.Message, status.message, messageLength);
  for (const { typeUrl, value, length } of details) {
    writer.open(StatusField.Details, length);
    if (typeUrl !== "") writer.string(AnyField.TypeUrl, typeUrl, Buffer.byteLength(typeUrl));
    if (value.length > 0) writer.bytes(AnyField.Value, value);
  }
  return target;
}

function anyLength({ typeUrl, value }: AnyMessage): number {
  const urlLength = Buffer.byteLength(typeUrl);
  return (
    (urlLength > 0 ? delimitedLength(urlLength) : 0) + (value.length > 0 ? delimitedLength(value.length) : 0)
  );
}

/**
 * Decodes the body of a Response frame; an empty body is OK with an empty message.
 *
 * @throws MalformedEnvelopeError if it is no response envelope.
 */
export function decodeResponse(body: Uint8Array): ResponseEnvelope {
  let status: Status | undefined;
  let payload: Uint8Array = NOTHING;
  const reader = new ProtobufReader(body);
  while (reader.next()) {
    const isDelimited = reader.wireType === WireType.LengthDelimited;
    if (isDelimited && reader.field === Field.Status) status = decodeStatus(reader.bytes());
    else if (isDelimited && reader.field === Field.Payload) payload = reader.bytes();
    else reader.skip();
  }
  return status === undefined ? { payload } : { status, payload };
}

function decodeStatus(bytes: Buffer): Status {
  let code = 0;
  let message = "";
  const details: AnyMessage[] = [];
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    const isDelimited = reader.wireType === WireType.LengthDelimited;
    if (reader.wireType === WireType.Varint && reader.field === StatusField.Code) code = reader.int32();
    else if (isDelimited && reader.field === StatusField.Message) message = reader.string();
    else if (isDelimited && reader.field === StatusField.Details && details.length < MAX_STATUS_DETAILS) {
      details.push(decodeAny(reader.bytes()));
    } else reader.skip();
  }
  return { code, message, details };
}

function decodeAny(bytes: Buffer): AnyMessage {
  let typeUrl = "";
  let value: Uint8Array = NOTHING;
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    const isDelimited = reader.wireType === WireType.LengthDelimited;
    if (isDelimited && reader.field === AnyField.TypeUrl) typeUrl = reader.string();
    else if (isDelimited && reader.field === AnyField.Value) value = reader.bytes();
    else reader.skip();
  }
  return { typeUrl, value };
}
