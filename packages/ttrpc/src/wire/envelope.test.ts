import { Buffer } from "node:buffer";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RequestEnvelopeSchema, ResponseEnvelopeSchema } from "../../testing/gen/envelope_pb.ts";
import { encodeFrame } from "./frame.ts";
import type { MessageType } from "./frame.ts";
import { MalformedEnvelopeError } from "./protobuf-reader.ts";
import { MAX_METADATA_ENTRIES, decodeRequest, encodeRequest, readRequestHead } from "./request.ts";
import type { RequestEnvelope } from "./request.ts";
import { decodeResponse, encodeResult, encodeStatus } from "./response.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const base: RequestEnvelope = {
  service: "",
  method: "",
  payload: Buffer.alloc(0),
  timeoutNano: 0n,
  metadata: [],
};
const check = { ...base, service: "grpc.Health", method: "Check" };
const stopVM = { ...base, service: "hypervisor.Hypervisor", method: "StopVM", payload: hex("0a03736231") };

/** Frames whose bytes are known from the rules of the protocol. */
const frames: readonly {
  what: string;
  streamId: number;
  type: MessageType;
  body: () => Buffer;
  bytes: string;
}[] = [
  {
    what: "a call without a deadline",
    streamId: 1,
    type: 1,
    body: () => encodeRequest(check),
    bytes: "00000014 00000001 01 00 0a0b677270632e4865616c7468 1205436865636b",
  },
  {
    what: "a call with 30 s",
    streamId: 3,
    type: 1,
    body: () => encodeRequest({ ...check, timeoutNano: 30_000_000_000n }),
    bytes: "0000001a 00000003 01 00 0a0b677270632e4865616c7468 1205436865636b 2080d88ee16f",
  },
  {
    what: "an answer",
    streamId: 1,
    type: 2,
    body: () => encodeResult(hex("0801")),
    bytes: "00000004 00000001 02 00 12020801",
  },
  {
    what: "an empty answer",
    streamId: 5,
    type: 2,
    body: () => encodeResult(Buffer.alloc(0)),
    bytes: "00000000 00000005 02 00",
  },
  {
    what: "an unknown service",
    streamId: 7,
    type: 2,
    body: () => encodeStatus({ code: 12, message: "service x.Y" }),
    bytes: "00000011 00000007 02 00 0a0f 080c 120b7365727669636520782e59",
  },
  {
    what: "a call with a payload",
    streamId: 1,
    type: 1,
    body: () => encodeRequest(stopVM),
    bytes:
      "00000026 00000001 01 00 0a1568797065727669736f722e48797065727669736f72 120653746f70564d 1a05 0a03736231",
  },
];

const requestArbitrary = fc.record({
  service: fc.string({ unit: "grapheme", maxLength: 40 }),
  method: fc.string({ unit: "grapheme", maxLength: 40 }),
  payload: fc.uint8Array({ maxLength: 300 }),
  timeoutNano: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  metadata: fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })), {
    maxLength: 5,
  }),
});

function outcome<T>(run: () => T): { value?: T; error?: unknown } {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
}

describe("envelopes on the wire", () => {
  test.each(frames)("$what has its known bytes", ({ streamId, type, body, bytes }) => {
    expect(encodeFrame({ streamId, type }, body()).toString("hex")).toBe(hex(bytes).toString("hex"));
  });

  test("metadata is field 5 with key and value", () => {
    const body = encodeRequest({ ...check, metadata: [["traceparent", "00-x"]] });
    expect(body.subarray(encodeRequest(check).length)).toEqual(
      hex("2a13 0a0b7472616365706172656e74 120430302d78"),
    );
  });

  test("OK is an absent status, an empty one or code 0, with or without a payload", () => {
    expect(decodeResponse(hex("12020801"))).toEqual({ payload: hex("0801") });
    expect(decodeResponse(hex("0a0012020801"))).toMatchObject({ status: { code: 0 }, payload: hex("0801") });
    expect(decodeResponse(hex("0a00"))).toMatchObject({ status: { code: 0 }, payload: Buffer.alloc(0) });
    expect(decodeResponse(Buffer.alloc(0))).toEqual({ payload: Buffer.alloc(0) });
  });

  test("requests are encoded as protobuf-es does, and decoded back", () => {
    fc.assert(
      fc.property(requestArbitrary, (request) => {
        const metadata = request.metadata.map(([key, value]) => ({ key, value }));
        const reference = toBinary(
          RequestEnvelopeSchema,
          create(RequestEnvelopeSchema, { ...request, metadata }),
        );
        expect(Buffer.from(encodeRequest(request))).toEqual(Buffer.from(reference));
        const decoded = decodeRequest(reference);
        expect({ ...decoded, payload: Uint8Array.from(decoded.payload) }).toEqual(request);
      }),
    );
  });

  test("statuses are encoded as protobuf-es does, and decoded back", () => {
    const status = fc.record({
      code: fc.integer(),
      message: fc.string({ unit: "grapheme" }),
      details: fc.array(fc.record({ typeUrl: fc.string(), value: fc.uint8Array({ maxLength: 40 }) }), {
        maxLength: 4,
      }),
    });
    fc.assert(
      fc.property(status, (value) => {
        const reference = toBinary(ResponseEnvelopeSchema, create(ResponseEnvelopeSchema, { status: value }));
        expect(Buffer.from(encodeStatus(value))).toEqual(Buffer.from(reference));
        const decoded = decodeResponse(reference).status!;
        const details = decoded.details!.map((detail) => ({
          ...detail,
          value: Uint8Array.from(detail.value),
        }));
        expect({ ...decoded, details }).toEqual(value);
      }),
    );
  });

  test("a message with a byte order mark keeps it", () => {
    const message = "\ufeffno such container";
    expect(decodeResponse(encodeStatus({ code: 5, message })).status?.message).toBe(message);
  });

  test("unknown fields of every wire type are passed over", () => {
    const unknown = hex("3001 390102030405060708 4203616263 4d01020304");
    expect(decodeRequest(Buffer.concat([unknown, encodeRequest(check), unknown]))).toEqual(check);
    expect(decodeResponse(Buffer.concat([unknown, hex("12020801"), unknown])).payload).toEqual(hex("0801"));
  });

  test.each([
    ["a length beyond the end", "0a0b67", "unexpected end of message"],
    ["a varint that never ends", "20ffffffffffffffffffffff01", "varint is longer than 10 bytes"],
    ["a varint cut off", "2080", "unexpected end of message"],
    ["field number 0", "0001", "invalid field number"],
    ["a group", "0b0c", "invalid wire type 3"],
    ["a wire type that does not exist", "0f", "invalid wire type 7"],
    ["a broken metadata entry", "2a030a0b61", "unexpected end of message"],
  ])("%s is a clear error", (_what, bytes, message) => {
    expect(() => decodeRequest(hex(bytes))).toThrow(new MalformedEnvelopeError(message));
  });

  test("garbage gives MalformedEnvelopeError or what protobuf-es reads from it, nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const ours = outcome(() => decodeRequest(bytes));
        const theirs = outcome(() => fromBinary(RequestEnvelopeSchema, bytes));
        expect(ours.error ?? new MalformedEnvelopeError("")).toBeInstanceOf(MalformedEnvelopeError);
        // protobuf-es is stricter, e.g. about UTF-8; where both read something, it is the same.
        fc.pre(ours.value !== undefined && theirs.value !== undefined);
        const { value: decoded } = ours;
        const { value: reference } = theirs;
        expect(decoded.service).toBe(reference.service);
        expect(decoded.method).toBe(reference.method);
        expect(decoded.timeoutNano).toBe(reference.timeoutNano);
        expect(decoded.metadata).toHaveLength(reference.metadata.length);
      }),
    );
  });

  test("every truncation of a request is an error or the fields before the cut", () => {
    const bytes = encodeRequest({
      ...check,
      payload: Buffer.from("payload"),
      timeoutNano: 5n,
      metadata: [["k", "v"]],
    });
    const whole = [13, 20, 29, 31].map((end) => decodeRequest(bytes.subarray(0, end)));
    expect(whole.map(({ method, timeoutNano }) => `${method} ${timeoutNano}`)).toEqual([
      " 0",
      "Check 0",
      "Check 0",
      "Check 5",
    ]);
    const boundaries = new Set([0, 13, 20, 29, 31, bytes.length]);
    const readable = Array.from({ length: bytes.length + 1 }, (_, end) => end).filter(
      (end) => outcome(() => decodeRequest(bytes.subarray(0, end))).error === undefined,
    );
    expect(new Set(readable)).toEqual(boundaries);
  });

  test("metadata is limited", () => {
    const metadata = Array.from({ length: MAX_METADATA_ENTRIES }, () => ["", ""] as const);
    expect(decodeRequest(encodeRequest({ ...base, metadata })).metadata).toHaveLength(MAX_METADATA_ENTRIES);
    expect(() => decodeRequest(encodeRequest({ ...base, metadata: [...metadata, ["", ""]] }))).toThrow(
      /more than 1024 metadata entries/,
    );
  });
});

describe("readRequestHead", () => {
  test("finds service and method in any prefix that holds them, and says so when it does not", () => {
    const bytes = encodeRequest({ ...stopVM, timeoutNano: 1n });
    const end = bytes.indexOf("StopVM") + "StopVM".length;
    for (let length = 0; length <= bytes.length; length++) {
      const expected = length < end ? undefined : { service: stopVM.service, method: stopVM.method };
      expect(readRequestHead(bytes.subarray(0, length)), `prefix of ${length}`).toEqual(expected);
    }
  });

  test("does not need the payload behind it", () => {
    const bytes = encodeRequest({ ...check, payload: Buffer.alloc(1 << 20) });
    expect(readRequestHead(bytes.subarray(0, 64))).toEqual({ service: "grpc.Health", method: "Check" });
  });

  test("finds them behind a payload if all of it is there", () => {
    const bytes = Buffer.concat([hex("1a03616263"), encodeRequest(check)]);
    expect(readRequestHead(bytes)).toEqual({ service: "grpc.Health", method: "Check" });
    expect(readRequestHead(bytes.subarray(0, 4))).toBeUndefined();
  });

  test("throws on what is no envelope", () => {
    expect(() => readRequestHead(hex("0b0c"))).toThrow(MalformedEnvelopeError);
  });
});
