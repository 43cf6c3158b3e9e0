import { Code } from "@connectrpc/connect";
import type { FrameDecoderOptions, Delivery, FrameSink } from "../wire/frame-decoder.ts";
import { MessageType, oversizeMessage } from "../wire/frame.ts";
import type { Frame, FrameHeader, Span } from "../wire/frame.ts";
import { decodeRequest, readRequestHead } from "../wire/request.ts";
import type { RequestHead } from "../wire/request.ts";
import type { Answer, RequestDecision, RequestSummary } from "./types.ts";

/** Bytes of the envelope to wait for; service and method nearly always end within them. */
const HEAD_LENGTH = 128;
/** A longer request that nothing needs whole goes on in pieces. */
const WHOLE_LENGTH = 16 << 10;

/** A decision that sends the request on. */
export type Accepted = Exclude<RequestDecision, { readonly action: "answer" }>;

/** What the relay does for its downstream side. */
export interface RequestPort {
  decide(request: RequestSummary): RequestDecision;
  answer(streamId: number, answer: Answer): void;
  /** A whole request. */
  submit(frame: Frame, decision: Accepted): void;
  /** The head of a request that goes out in pieces; false when nothing can take it now, so it must be gathered. */
  begin(head: Frame, decision: Accepted): boolean;
  piece(piece: Span, isLast: boolean): void;
  /** Whether another call fits in. */
  hasRoom(): boolean;
}

/**
 * Reads the downstream as a server does, with the answers of the Go server to what is not a proper unary request.
 * Data frames are refused without exception: no call here is a streaming one.
 */
export class RequestSide implements FrameSink {
  static readonly decoderOptions: FrameDecoderOptions = { headLength: HEAD_LENGTH };
  readonly #port: RequestPort;
  #lastStreamId = 0;
  /** About the frame being gathered; undefined while its names are not known. */
  #decision: Accepted | undefined;
  #frames = 0;
  #requests = 0;

  constructor(port: RequestPort) {
    this.#port = port;
  }

  /** Frames whose head has been seen. */
  get frames(): number {
    return this.#frames;
  }

  /** Those of them that were proper requests. */
  get requests(): number {
    return this.#requests;
  }

  onOversize(header: FrameHeader): void {
    this.#frames += 1;
    this.#refuse(header, Code.ResourceExhausted, oversizeMessage(header.length));
  }

  onHead(head: Frame): Delivery {
    this.#frames += 1;
    const { streamId } = head;
    if (streamId % 2 === 0) {
      return this.#refuse(head, Code.InvalidArgument, "StreamID must be odd for client initiated streams");
    }
    if (head.type === MessageType.Data) {
      return this.#refuse(head, Code.InvalidArgument, "StreamID is no longer active");
    }
    if (head.type !== MessageType.Request) return "skip";
    if (streamId <= this.#lastStreamId) {
      return this.#refuse(head, Code.InvalidArgument, "StreamID cannot be re-used and must increment");
    }
    this.#lastStreamId = streamId;
    try {
      const names = readRequestHead(head.bytes, head.bodyStart, head.end);
      // Names that do not come first, or are very long, are looked for in the whole envelope.
      this.#decision = names === undefined ? undefined : this.#decide(head, names);
      if (names === undefined) return "gather";
    } catch (error) {
      return this.#refuse(head, Code.InvalidArgument, `unmarshal request error: ${reasonOf(error)}`);
    }
    if (this.#decision === undefined) return "skip";
    return this.#goesInPieces(head, this.#decision) ? "pieces" : "gather";
  }

  onFrame(frame: Frame): void {
    const decision = this.#decision ?? this.#decideGathered(frame);
    this.#decision = undefined;
    if (decision !== undefined) this.#port.submit(frame, decision);
  }

  onPiece(_header: FrameHeader, piece: Span, remaining: number): void {
    this.#port.piece(piece, remaining === 0);
  }

  #decideGathered(frame: Frame): Accepted | undefined {
    try {
      return this.#decide(frame, decodeRequest(frame.body));
    } catch (error) {
      this.#refuse(frame, Code.InvalidArgument, `unmarshal request error: ${reasonOf(error)}`);
      return undefined;
    }
  }

  /** Undefined when the call has been answered already. */
  #decide(header: FrameHeader, { service, method }: RequestHead): Accepted | undefined {
    this.#requests += 1;
    const decision = this.#port.decide({ service, method, bodyLength: header.length });
    if (decision.action === "answer") {
      this.#port.answer(header.streamId, decision.answer);
      return undefined;
    }
    if (this.#port.hasRoom()) return decision;
    this.#refuse(header, Code.ResourceExhausted, "too many calls in flight on this connection");
    return undefined;
  }

  #goesInPieces(head: Frame, decision: Accepted): boolean {
    if (head.length <= WHOLE_LENGTH || decision.action !== "forward" || decision.ifLost === "reissue")
      return false;
    return this.#port.begin(head, decision);
  }

  #refuse(header: FrameHeader, code: Code, message: string): Delivery {
    this.#port.answer(header.streamId, { code, message });
    return "skip";
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
