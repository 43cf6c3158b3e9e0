import type { Code } from "@connectrpc/connect";
import type { Duplex } from "node:stream";

/** What the relay knows of a request before its body has arrived: the names at its head. */
export interface RequestSummary {
  /** Fully qualified service name, e.g. `grpc.AgentService`. */
  readonly service: string;
  /** Bare method name, e.g. `CreateContainer`. */
  readonly method: string;
  /** Length of the frame body (the request envelope) in bytes. */
  readonly bodyLength: number;
}

/** A gathered request: the envelope around the message, without its payload. */
export interface GatheredRequest extends RequestSummary {
  /** The serialized request message. It may be changed in place or replaced by what `edit` returns. */
  readonly payload: Uint8Array;
  /** Remaining time in nanoseconds as the caller stated it; 0n is none. */
  readonly timeoutNano: bigint;
  /** Metadata in wire order; it is passed on unchanged. */
  readonly metadata: readonly (readonly [key: string, value: string])[];
}

/** What a caller is told: a response message, or a status other than OK. */
export type Answer = { readonly payload: Uint8Array } | { readonly code: Code; readonly message: string };

/**
 * What becomes of a call whose request went out when the upstream connection is lost before its answer came:
 * `fail` answers it with the relay's `lostAnswer`, `reissue` sends the same request again on the next upstream
 * (only for calls that are safe to repeat), an `Answer` is given as it is.
 */
export type IfLost = "fail" | "reissue" | Answer;

/** What the relay does with one request. `{ action: "forward" }` costs nothing: its bytes pass as they arrive. */
export type RequestDecision =
  /** Pass it on. With `ifLost: "reissue"` the request is gathered and kept until it is answered. */
  | { readonly action: "forward"; readonly ifLost?: IfLost }
  /**
   * Gather it (at most the message limit of 4 MiB), let `edit` change the payload, then pass it on. Other calls
   * overtake it meanwhile. `signal` aborts when the caller is gone or its deadline is over. What `edit`
   * throws is answered with the code and message of `ConnectError.from`, and nothing reaches the upstream.
   */
  | {
      readonly action: "edit";
      readonly ifLost?: IfLost;
      readonly edit: (
        request: GatheredRequest,
        context: { readonly signal: AbortSignal },
      ) => Uint8Array | Promise<Uint8Array>;
    }
  /** Answer it here; its body is discarded. */
  | { readonly action: "answer"; readonly answer: Answer };

/** Options of {@link createFrameRelay}; every one has a default. */
export interface FrameRelayOptions {
  /** Decides about each request when its head has arrived. Default: forward all. It must not throw. */
  readonly onRequest?: (request: RequestSummary) => RequestDecision;
  /**
   * Called once per upstream that was connected and ended without `close`. Calls that can wait are kept; the owner
   * dials again and calls `connect`, or gives up with `failPending`.
   */
  readonly onUpstreamLost?: (cause: Error | undefined) => void;
  /** Answer of calls that were lost with `ifLost: "fail"`. Default: UNAVAILABLE `upstream connection lost`. */
  readonly lostAnswer?: Answer;
  /** Calls in flight at once; more are answered RESOURCE_EXHAUSTED. Default 4096. */
  readonly maxPendingCalls?: number;
  /**
   * Bytes of requests kept in memory: queued without an upstream, kept for re-issue, being edited. Above it nothing
   * more is read from the downstream until some are answered. Default 16 MiB.
   */
  readonly maxRetainedBytes?: number;
  /**
   * A response up to this size is passed on only when it is complete, so a lost upstream never leaves half a frame on
   * the downstream; a larger one passes in pieces, and losing the upstream in its middle ends the downstream.
   * Default 256 KiB.
   */
  readonly maxHeldResponseBytes?: number;
  /** A frame that has begun must be complete within this time, from either side. Default 60 000; 0 is no limit. */
  readonly frameTimeoutMs?: number;
  /** The first frame of the downstream must be complete within this time. Default 0, no limit. */
  readonly firstFrameTimeoutMs?: number;
}

/** Counters since the relay began; read them whenever wanted. */
export interface FrameRelayStats {
  readonly requests: number;
  readonly responses: number;
  /** Answered here: refused frames, `answer` decisions, failed edits, lost calls. */
  readonly answeredHere: number;
  readonly reissued: number;
  readonly pending: number;
  readonly retainedBytes: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/**
 * One client connection (downstream) joined to one server connection at a time (upstream), by frames.
 *
 * Stream ids are the relay's own on every upstream, so edited and re-issued requests keep the rule that ids grow on the
 * wire. Unary calls only: a Data frame from the downstream is answered INVALID_ARGUMENT and never passed on, since it
 * crashes some servers; nor is any other frame that a server would refuse. Requests that arrive without an upstream wait
 * for the next one (or for `failPending`); those whose deadline is over by then are not sent.
 *
 * The relay owns both connections from the moment it gets them. When the downstream ends, everything ends.
 */
export interface FrameRelay extends AsyncDisposable {
  /** Whether an upstream is connected now. */
  readonly connected: boolean;
  /** Resolves when both connections have ended, with what the downstream failed with, if it did; never rejects. */
  readonly closed: Promise<Error | undefined>;
  readonly stats: FrameRelayStats;
  /**
   * Uses this connected stream as upstream: calls to re-issue and waiting ones are sent, in the order of their arrival.
   * An upstream still there counts as lost (without `onUpstreamLost`). After `close` the stream is only destroyed.
   */
  connect(upstream: Duplex): void;
  /**
   * Answers every call that waits for an upstream, and those being edited when their edit ends without one. Without
   * effect while one is connected; calls that come later wait again.
   */
  failPending(answer: Answer): void;
  /** Ends both connections at once; can be repeated. `closed` tells when it is done. */
  close(): void;
}
