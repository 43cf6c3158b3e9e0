import { Buffer } from "node:buffer";
import { NameCache } from "./name-cache.ts";

/** Bytes that are not a valid protobuf message of the expected form. The message says what is wrong with them. */
export class MalformedEnvelopeError extends Error {
  override readonly name: string = "MalformedEnvelopeError";
}

/** The bytes end before the message does. */
export class TruncatedMessageError extends MalformedEnvelopeError {
  constructor() {
    super("unexpected end of message");
  }
}

/** Protobuf wire types that occur in proto3. */
export const WireType = { Varint: 0, Fixed64: 1, LengthDelimited: 2, Fixed32: 5 } as const;

const MAX_VARINT_BYTES = 10;

/** Names of services and methods, of which a process sees some dozens. */
const names = new NameCache();

/**
 * Reads the fields of one protobuf message in place: byte fields share memory with the input. Only what the two
 * envelopes need, since every call passes here; messages themselves are protobuf-es's matter.
 */
export class ProtobufReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #position: number;
  /** Number and wire type of the field that `next` stopped at. */
  field = 0;
  wireType = 0;

  /** The message is `bytes` from `start` to `end`; by default all of them. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = start;
    this.#end = end;
  }

  /** Moves to the next field; false at the end. */
  next(): boolean {
    if (this.#position >= this.#end) return false;
    const tag = this.unsigned();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0 || this.field > 0x1f_ff_ff_ff)
      throw new MalformedEnvelopeError("invalid field number");
    return true;
  }

  /** An unsigned varint as a number; exact up to 2^53, which covers tags, lengths and 32-bit values. */
  unsigned(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new MalformedEnvelopeError("varint is longer than 10 bytes");
  }

  /** A varint of the int32 type: negative numbers come sign-extended to ten bytes. */
  int32(): number {
    return Number(BigInt.asIntN(32, this.int64()));
  }

  /** A varint of the int64 type. */
  int64(): bigint {
    let value = 0n;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * count);
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new MalformedEnvelopeError("varint is longer than 10 bytes");
  }

  /** The content of a length-delimited field, as a view of the input. */
  bytes(): Buffer {
    const start = this.#startOfDelimited();
    return this.#bytes.subarray(start, this.#position);
  }

  string(): string {
    const start = this.#startOfDelimited();
    return this.#bytes.toString("utf8", start, this.#position);
  }

  /** As `string`, for the few texts that come again and again. */
  name(): string {
    const start = this.#startOfDelimited();
    return names.textOf(this.#bytes, start, this.#position);
  }

  /** Passes over the field that `next` stopped at. */
  skip(): void {
    switch (this.wireType) {
      case WireType.Varint:
        this.unsigned();
        return;
      case WireType.Fixed64:
        this.#advance(8);
        return;
      case WireType.LengthDelimited:
        this.#advance(this.unsigned());
        return;
      case WireType.Fixed32:
        this.#advance(4);
        return;
      default:
        throw new MalformedEnvelopeError(`invalid wire type ${this.wireType}`);
    }
  }

  /** Passes over a length-delimited field and returns where its content begins; it ends at the position. */
  #startOfDelimited(): number {
    const length = this.unsigned();
    const start = this.#position;
    if (length > this.#end - start) throw new TruncatedMessageError();
    this.#position = start + length;
    return start;
  }

  #advance(count: number): void {
    if (count > this.#end - this.#position) throw new TruncatedMessageError();
    this.#position += count;
  }

  #byte(): number {
    if (this.#position >= this.#end) throw new TruncatedMessageError();
    return this.#bytes[this.#position++] ?? 0;
  }
}
