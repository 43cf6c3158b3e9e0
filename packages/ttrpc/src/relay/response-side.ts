import { Code } from "@connectrpc/connect";
import type { Delivery, FrameSink } from "../wire/frame-decoder.ts";
import { MessageType, oversizeMessage, setStreamId } from "../wire/frame.ts";
import type { Frame, FrameHeader, Span } from "../wire/frame.ts";
import type { CallTable, RelayedCall } from "./call-table.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { Answer } from "./types.ts";

/** What the relay does for its upstream side. */
export interface ResponsePort {
  readonly calls: CallTable;
  readonly downstream: FrameWriter;
  readonly maxHeldBytes: number;
  /** Answers a call here and forgets it. */
  settle(call: RelayedCall, answer: Answer): void;
}

/** Reads one upstream as a client does. Answers to calls that nobody waits for any more are dropped. */
export class ResponseSide implements FrameSink {
  readonly #port: ResponsePort;
  #call: RelayedCall | undefined;
  #frames = 0;
  #responses = 0;

  constructor(port: ResponsePort) {
    this.#port = port;
  }

  /** Frames whose header has been seen. */
  get frames(): number {
    return this.#frames;
  }

  /** Those of them that answered a call. */
  get responses(): number {
    return this.#responses;
  }

  onOversize(header: FrameHeader): void {
    this.#frames += 1;
    this.#fail(header, Code.ResourceExhausted, oversizeMessage(header.length));
  }

  onHead(head: Frame): Delivery {
    this.#frames += 1;
    const call = this.#port.calls.onUpstream(head.streamId);
    if (call === undefined) return "skip";
    if (head.type !== MessageType.Response) {
      return this.#fail(head, Code.Internal, `protocol error: frame of type ${head.type} on a unary call`);
    }
    this.#responses += 1;
    if (head.length <= this.#port.maxHeldBytes) {
      this.#call = call;
      return "gather";
    }
    this.#port.calls.remove(call);
    setStreamId(head.bytes, call.downstreamId, head.start);
    this.#port.downstream.begin(head);
    return "pieces";
  }

  onFrame(frame: Frame): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#call = undefined;
    this.#port.calls.remove(call);
    setStreamId(frame.bytes, call.downstreamId, frame.start);
    this.#port.downstream.frame(frame);
  }

  onPiece(_header: FrameHeader, piece: Span, remaining: number): void {
    this.#port.downstream.piece(piece, remaining === 0);
  }

  #fail(header: FrameHeader, code: Code, message: string): Delivery {
    const call = this.#port.calls.onUpstream(header.streamId);
    if (call !== undefined) this.#port.settle(call, { code, message });
    return "skip";
  }
}
