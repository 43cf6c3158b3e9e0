import { Buffer } from "node:buffer";
import {
  MalformedEnvelopeError,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  errorFromStatus,
  readRequestHead,
  statusFromError,
} from "@peerpods/ttrpc";
import { refusedAs, require } from "../../allowed.ts";
import { stateless } from "../../target.ts";
import type { FuzzTarget } from "../../target.ts";
import { clientBytes, serverBytes, ttrpcWords } from "./wire.ts";

const isMalformed = (error: unknown): boolean => error instanceof MalformedEnvelopeError;

/** Envelopes decode or are malformed; what decodes is the same when it is written and read again. */
export const envelopes: FuzzTarget = {
  name: "ttrpc-envelopes",
  boundary: "request and response envelopes of any ttrpc peer",
  seeds: [...clientBytes, ...serverBytes].map((bytes) => bytes.subarray(10)),
  words: ttrpcWords,
  open: stateless((input) => {
    const request = refusedAs(() => decodeRequest(input), isMalformed);
    const head = refusedAs(() => readRequestHead(input), isMalformed);
    if (request !== undefined) {
      const again = decodeRequest(encodeRequest(request));
      require(JSON.stringify(plain(again)) === JSON.stringify(plain(request)), "a request is the same again");
      require(head === undefined || head.method.length <= input.length, "the head lies within the request");
    }
    const response = refusedAs(() => decodeResponse(input), isMalformed);
    if (response?.status !== undefined && response.status.code !== 0) {
      const { code, message } = statusFromError(errorFromStatus(response.status));
      require(code === response.status.code &&
        message === response.status.message, "a status is the same again");
    }
  }),
};

function plain(request: ReturnType<typeof decodeRequest>) {
  const { payload, timeoutNano } = request;
  return { ...request, payload: Buffer.from(payload).toString("hex"), timeoutNano: String(timeoutNano) };
}
