import type { Buffer } from "node:buffer";

/** Bytes that `value` takes as an unsigned varint. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** Bytes that `value` takes as a varint of the int64 type. */
export function int64Length(value: bigint): number {
  return value < 0n ? 10 : value <= Number.MAX_SAFE_INTEGER ? varintLength(Number(value)) : int64Bytes(value);
}

/** Bytes of a length-delimited field with a one-byte tag and `length` bytes of content. */
export function delimitedLength(length: number): number {
  return 1 + varintLength(length) + length;
}

function int64Bytes(value: bigint): number {
  let length = 1;
  for (let rest = value; rest >= 0x80n; rest >>= 7n) length++;
  return length;
}

/** Writes fields with one-byte tags (field numbers up to 15) into a buffer that was allocated at their exact length. */
export class ProtobufWriter {
  readonly #target: Buffer;
  #position: number;

  constructor(target: Buffer, position: number) {
    this.#target = target;
    this.#position = position;
  }

  varint(field: number, value: number): void {
    this.#tag(field, 0);
    this.#varint(value);
  }

  int64(field: number, value: bigint): void {
    this.#tag(field, 0);
    if (value >= 0n && value <= Number.MAX_SAFE_INTEGER) {
      this.#varint(Number(value));
      return;
    }
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 0x80n; rest >>= 7n) this.#target[this.#position++] = Number(rest & 0x7fn) | 0x80;
    this.#target[this.#position++] = Number(rest);
  }

  /** Tag and length of a nested message whose fields are written next. */
  open(field: number, length: number): void {
    this.#tag(field, 2);
    this.#varint(length);
  }

  bytes(field: number, value: Uint8Array): void {
    this.open(field, value.length);
    this.#target.set(value, this.#position);
    this.#position += value.length;
  }

  /** `length` is the string's length in UTF-8, which the caller has measured already. */
  string(field: number, value: string, length: number): void {
    this.open(field, length);
    this.#target.write(value, this.#position, length, "utf8");
    this.#position += length;
  }

  #tag(field: number, wireType: number): void {
    this.#target[this.#position++] = (field << 3) | wireType;
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80))
      this.#target[this.#position++] = (rest % 0x80) | 0x80;
    this.#target[this.#position++] = rest;
  }
}
