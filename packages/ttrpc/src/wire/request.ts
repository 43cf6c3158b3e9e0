import { Buffer } from "node:buffer";
import {
  MalformedEnvelopeError,
  ProtobufReader,
  TruncatedMessageError,
  WireType,
} from "./protobuf-reader.ts";
import { ProtobufWriter, delimitedLength, int64Length } from "./protobuf-writer.ts";

/** Metadata of a request in wire order, keys and values verbatim; a key with several values occurs several times. */
export type Metadata = readonly (readonly [key: string, value: string])[];

/** The envelope around a request message: the body of a Request frame. */
export interface RequestEnvelope {
  /** Fully qualified service name without a leading slash, e.g. `grpc.health.v1.Health`. */
  readonly service: string;
  /** Bare method name, e.g. `Check`. */
  readonly method: string;
  /** The serialized request message. A decoded one shares memory with the frame. */
  readonly payload: Uint8Array;
  /** Time left for the call when it was sent, in nanoseconds; 0n is no deadline, below 0n already over. */
  readonly timeoutNano: bigint;
  readonly metadata: Metadata;
}

/** What {@link readRequestHead} finds: whom a request is for. */
export interface RequestHead {
  readonly service: string;
  readonly method: string;
}

/** Most metadata entries of one request that are accepted; it bounds what 4 MiB of tiny entries cost. */
export const MAX_METADATA_ENTRIES = 1024;

const Field = { Service: 1, Method: 2, Payload: 3, TimeoutNano: 4, Metadata: 5 } as const;
const EntryField = { Key: 1, Value: 2 } as const;

/**
 * Encodes a request envelope, fields in ascending order, defaults left out. With `reserve`, that many bytes are left
 * free in front of it (for a frame header).
 */
export function encodeRequest(request: RequestEnvelope, reserve = 0): Buffer {
  const serviceLength = Buffer.byteLength(request.service);
  const methodLength = Buffer.byteLength(request.method);
  const payloadLength = request.payload.length;
  let size = 0;
  if (serviceLength > 0) size += delimitedLength(serviceLength);
  if (methodLength > 0) size += delimitedLength(methodLength);
  if (payloadLength > 0) size += delimitedLength(payloadLength);
  if (request.timeoutNano !== 0n) size += 1 + int64Length(request.timeoutNano);
  for (const entry of request.metadata) size += delimitedLength(entryLength(entry));

  const target = Buffer.allocUnsafe(reserve + size);
  const writer = new ProtobufWriter(target, reserve);
  if (serviceLength > 0) writer.string(Field.Service, request.service, serviceLength);
  if (methodLength > 0) writer.string(Field.Method, request.method, methodLength);
  if (payloadLength > 0) writer.bytes(Field.Payload, request.payload);
  if (request.timeoutNano !== 0n) writer.int64(Field.TimeoutNano, request.timeoutNano);
  for (const entry of request.metadata) {
    writer.open(Field.Metadata, entryLength(entry));
    writeOptionalString(writer, EntryField.Key, entry[0]);
    writeOptionalString(writer, EntryField.Value, entry[1]);
  }
  return target;
}

function entryLength([key, value]: readonly [string, string]): number {
  return optionalStringLength(key) + optionalStringLength(value);
}

function optionalStringLength(text: string): number {
  return text === "" ? 0 : delimitedLength(Buffer.byteLength(text));
}

function writeOptionalString(writer: ProtobufWriter, field: number, text: string): void {
  if (text !== "") writer.string(field, text, Buffer.byteLength(text));
}

const NOTHING = Buffer.alloc(0);
const NO_METADATA: Metadata = [];

/**
 * Decodes the body of a Request frame. Unknown fields are passed over; of a repeated singular field the last counts.
 *
 * @throws MalformedEnvelopeError if it is no request envelope, or has more than {@link MAX_METADATA_ENTRIES} entries.
 */
export function decodeRequest(body: Uint8Array): RequestEnvelope {
  let service = "";
  let method = "";
  let payload: Uint8Array = NOTHING;
  let timeoutNano = 0n;
  let metadata: (readonly [string, string])[] | undefined;
  const reader = new ProtobufReader(body);
  while (reader.next()) {
    if (reader.wireType === WireType.LengthDelimited && reader.field === Field.Service)
      service = reader.string();
    else if (reader.wireType === WireType.LengthDelimited && reader.field === Field.Method)
      method = reader.string();
    else if (reader.wireType === WireType.LengthDelimited && reader.field === Field.Payload)
      payload = reader.bytes();
    else if (reader.wireType === WireType.Varint && reader.field === Field.TimeoutNano)
      timeoutNano = reader.int64();
    else if (reader.wireType === WireType.LengthDelimited && reader.field === Field.Metadata) {
      metadata ??= [];
      if (metadata.length === MAX_METADATA_ENTRIES) {
        throw new MalformedEnvelopeError(`more than ${MAX_METADATA_ENTRIES} metadata entries`);
      }
      metadata.push(decodeEntry(reader.bytes()));
    } else reader.skip();
  }
  return { service, method, payload, timeoutNano, metadata: metadata ?? NO_METADATA };
}

function decodeEntry(bytes: Buffer): readonly [string, string] {
  let key = "";
  let value = "";
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    if (reader.wireType === WireType.LengthDelimited && reader.field === EntryField.Key)
      key = reader.string();
    else if (reader.wireType === WireType.LengthDelimited && reader.field === EntryField.Value)
      value = reader.string();
    else reader.skip();
  }
  return [key, value];
}

/**
 * Reads service and method from the first bytes of a request envelope (`bytes` from `start` to `end`, by default all)
 * without touching its payload, for relays.
 *
 * All known writers put these two fields first. If the bytes end before both were seen, the answer is undefined: gather
 * the frame and use {@link decodeRequest}. (A sender may repeat a field further back; the first one is reported here.)
 *
 * @throws MalformedEnvelopeError if the bytes that were read are no request envelope.
 */
export function readRequestHead(bytes: Uint8Array, start = 0, end = bytes.length): RequestHead | undefined {
  let service: string | undefined;
  let method: string | undefined;
  const reader = new ProtobufReader(bytes, start, end);
  try {
    while ((service === undefined || method === undefined) && reader.next()) {
      const isText = reader.wireType === WireType.LengthDelimited;
      if (isText && reader.field === Field.Service) service = reader.name();
      else if (isText && reader.field === Field.Method) method = reader.name();
      else reader.skip();
    }
  } catch (error) {
    if (error instanceof TruncatedMessageError) return undefined;
    throw error;
  }
  return service === undefined || method === undefined ? undefined : { service, method };
}
