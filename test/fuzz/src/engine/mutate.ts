import { Buffer } from "node:buffer";
import type { Random } from "./random.ts";

/** What mutations are made from, besides the input itself. */
export interface Material {
  /** Other inputs, to splice in. */
  readonly others: readonly Buffer[];
  /** Words of the format: keys, names, magic numbers. */
  readonly words: readonly Buffer[];
  readonly maxLength: number;
}

type Mutation = (input: Buffer, random: Random, material: Material) => Buffer;

/** Lengths and counts around which parsers go wrong. */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 1 << 22, (1 << 22) + 1, 0x7fffffff, 0xffffffff];

const mutations: readonly Mutation[] = [
  (input, random) => changed(input, random, (byte) => byte ^ (1 << random.below(8))),
  (input, random) => changed(input, random, () => random.below(256)),
  (input, random) => changed(input, random, (byte) => (byte + (random.below(2) === 0 ? 1 : 255)) & 0xff),
  insertBytes,
  overwriteNumber,
  removeRange,
  repeatRange,
  insertWord,
  insertWord,
  splice,
  (input, random) => input.subarray(0, random.below(input.length + 1)),
];

/** A changed copy of the input, at most `maxLength` long: one to eight mutations on top of each other. */
export function mutate(input: Buffer, random: Random, material: Material): Buffer {
  let result = input;
  for (let left = 1 << random.below(4); left > 0; left--) {
    result = random.pick(mutations)(result, random, material).subarray(0, material.maxLength);
  }
  return Buffer.from(result);
}

function changed(input: Buffer, random: Random, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(input);
  const at = random.below(copy.length);
  if (copy.length > 0) copy[at] = change(copy[at] ?? 0);
  return copy;
}

function insertBytes(input: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(Array.from({ length: 1 + random.below(8) }, () => random.below(256)));
  return insertedAt(input, random.below(input.length + 1), bytes);
}

/** Big endian as in frame headers, as a varint as in protobuf, or as text. */
function overwriteNumber(input: Buffer, random: Random): Buffer {
  const value = random.pick(edges);
  const encoded = random.pick([uint32(value), varint(value), Buffer.from(String(value))]);
  const at = random.below(input.length + 1);
  return Buffer.concat([input.subarray(0, at), encoded, input.subarray(at + encoded.length)]);
}

function removeRange(input: Buffer, random: Random): Buffer {
  const { from, to } = range(input, random);
  return Buffer.concat([input.subarray(0, from), input.subarray(to)]);
}

/** Makes deep nesting and long lists. */
function repeatRange(input: Buffer, random: Random, { maxLength }: Material): Buffer {
  const { from, to } = range(input, random);
  const piece = input.subarray(from, to);
  const times = Math.min(1 << random.below(12), Math.floor(maxLength / Math.max(1, piece.length)));
  return insertedAt(input, to, Buffer.concat(Array.from({ length: times }, () => piece)));
}

function insertWord(input: Buffer, random: Random, { words }: Material): Buffer {
  if (words.length === 0) return insertBytes(input, random);
  return insertedAt(input, random.below(input.length + 1), random.pick(words));
}

function splice(input: Buffer, random: Random, { others }: Material): Buffer {
  if (others.length === 0) return input;
  const other = random.pick(others);
  return Buffer.concat([
    input.subarray(0, random.below(input.length + 1)),
    other.subarray(random.below(other.length + 1)),
  ]);
}

function range(input: Buffer, random: Random): { from: number; to: number } {
  const from = random.below(input.length + 1);
  return { from, to: from + random.below(Math.min(64, input.length - from) + 1) };
}

function insertedAt(input: Buffer, at: number, bytes: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, at), bytes, input.subarray(at)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) | 0x80);
    if (rest < 128) return Buffer.from(bytes);
  }
}
