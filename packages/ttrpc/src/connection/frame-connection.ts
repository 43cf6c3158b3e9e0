import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { MessageType } from "../wire/frame.ts";
import type { Frame, FrameHeader } from "../wire/frame.ts";
import { FrameDecoder } from "../wire/frame-decoder.ts";
import { ReadDeadline } from "./read-deadline.ts";
import { startTimer } from "./timers.ts";
import { WriteDeadline } from "./write-deadline.ts";

/** Time limits of a connection, in milliseconds; 0 is no limit. Idle connections between frames have none. */
export interface ConnectionTimeouts {
  /** A frame that has begun must be complete within this time. Default 60 000. */
  readonly frameTimeoutMs?: number;
  /** A peer that reads nothing for this time, while bytes wait for it, is given up. Default 60 000. */
  readonly writeTimeoutMs?: number;
  /** The first frame must be complete within this time after connecting. Default 0, no limit. */
  readonly firstFrameTimeoutMs?: number;
}

/** What one end of a connection does with what arrives. */
export interface FrameConnectionOwner {
  onFrame(frame: Frame): void;
  onOversize(header: FrameHeader): void;
  /** Called once, at once when the connection can carry nothing more; `cause` is absent if it ended in order. */
  onClose(cause: Error | undefined): void;
}

/** How long a peer that was told the end may take to close its side. */
const LINGER_MS = 1000;

/** One end of a byte stream that carries frames: deadlines, few writes for many frames, pausing, orderly end. */
export class FrameConnection {
  readonly #duplex: Duplex;
  readonly #owner: FrameConnectionOwner;
  readonly #decoder: FrameDecoder;
  readonly #readDeadline: ReadDeadline;
  readonly #writeDeadline: WriteDeadline;
  readonly #closed: Promise<void>;
  readonly #writers: (() => void)[] = [];
  #holds = 0;
  /** Bytes handed to the stream since the beginning. */
  #sentBytes = 0;
  #corked = false;
  #finishing = false;
  #ended = false;
  #cancelLinger: (() => void) | undefined;

  constructor(duplex: Duplex, owner: FrameConnectionOwner, timeouts: ConnectionTimeouts = {}) {
    this.#duplex = duplex;
    this.#owner = owner;
    this.#decoder = new FrameDecoder({
      onFrame: (frame) => owner.onFrame(frame),
      onOversize: (header) => this.#onOversize(header),
    });
    const giveUp = (cause: Error): void => this.close(cause);
    this.#readDeadline = new ReadDeadline({
      progress: this.#decoder,
      firstFrameTimeoutMs: timeouts.firstFrameTimeoutMs ?? 0,
      frameTimeoutMs: timeouts.frameTimeoutMs ?? 60_000,
      giveUp,
    });
    this.#writeDeadline = new WriteDeadline({
      waiting: () => duplex.writableLength,
      taken: () => this.#sentBytes - duplex.writableLength,
      timeoutMs: timeouts.writeTimeoutMs ?? 60_000,
      giveUp,
    });
    this.#closed = new Promise((resolve) => {
      if (duplex.closed) resolve();
      else duplex.once("close", resolve);
    });
    duplex.on("drain", () => this.#admitWriters());
    // The listener stays after the end: an error that comes late must not be an unhandled one.
    duplex.on("error", (error: Error) => this.close(error));
    duplex.on("data", (chunk: Buffer) => this.#onData(chunk));
    duplex.on("end", () => this.close(this.#truncation()));
    duplex.on("close", () => this.close(this.#truncation()));
    if (duplex.destroyed || duplex.readableEnded) queueMicrotask(() => this.close(undefined));
  }

  /** Whether the connection can carry nothing more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves when the stream below is released; never rejects. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Whether more is waiting to be written than the stream wants; see `whenWritable`. */
  get backlogged(): boolean {
    return this.#duplex.writableNeedDrain;
  }

  /** Bytes handed over that have not left yet. */
  get backlogBytes(): number {
    return this.#duplex.writableLength;
  }

  /** Sends a frame. Everything sent within one turn of the event loop leaves in one write. */
  send(frame: Buffer): void {
    if (this.#ended || this.#finishing) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#duplex.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#duplex.uncork();
      });
    }
    this.#sentBytes += frame.length;
    if (!this.#duplex.write(frame)) this.#writeDeadline.watch();
  }

  /**
   * Calls back when there is room for more, or the connection has ended (`ended` tells). Those who wait are called in
   * turn, and only while what the earlier ones sent leaves room: a drained stream is not flooded at once.
   */
  whenWritable(callback: () => void): void {
    if (this.#ended || (!this.backlogged && this.#writers.length === 0)) callback();
    else this.#writers.push(callback);
  }

  /** As `whenWritable`, as a promise that never rejects. */
  writable(): Promise<void> {
    return new Promise((resolve) => this.whenWritable(resolve));
  }

  /** Stops reading until the returned function is called; holds add up, releasing twice has no effect. */
  hold(): () => void {
    this.#holds++;
    this.#readDeadline.suspended = true;
    this.#duplex.pause();
    let released = false;
    return () => {
      if (released) return;
      released = true;
      if (--this.#holds > 0 || this.#ended) return;
      this.#readDeadline.suspended = false;
      this.#duplex.resume();
    };
  }

  /**
   * Ends the connection in order: what was sent leaves, the peer sees the end and closes its side. The write deadline
   * bounds the first, {@link LINGER_MS} the second. Nothing more is sent; can be repeated.
   */
  finish(): void {
    if (this.#ended || this.#finishing) return;
    this.#finishing = true;
    this.#writeDeadline.watch();
    // Closing at once, with bytes of the peer unread, would reset the connection and could cost it our last answers.
    this.#duplex.end(() => {
      this.#cancelLinger = startTimer(LINGER_MS, () => this.close(undefined));
    });
  }

  /** Ends the connection at once; what has not left is lost. Repeating it has no effect. */
  close(cause: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#decoder.stop();
    this.#readDeadline.clear();
    this.#writeDeadline.clear();
    this.#cancelLinger?.();
    this.#duplex.destroy();
    this.#admitWriters();
    this.#owner.onClose(cause);
  }

  #onData(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      // A defect in a frame's handling costs this connection, not the process and all its others.
      this.close(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#readDeadline.check();
  }

  #onOversize(header: FrameHeader): void {
    if (isKnownType(header.type)) {
      this.#owner.onOversize(header);
      return;
    }
    // Text or random bytes: waiting for the body that such a "header" announces would take for ever.
    this.close(new Error(`not ttrpc: frame of unknown type ${header.type} and length ${header.length}`));
  }

  #admitWriters(): void {
    while (this.#ended || !this.backlogged) {
      const callback = this.#writers.shift();
      if (callback === undefined) return;
      callback();
    }
  }

  #truncation(): Error | undefined {
    return this.#decoder.midFrame ? new Error("the connection ended in the middle of a frame") : undefined;
  }
}

function isKnownType(type: number): boolean {
  return type === MessageType.Request || type === MessageType.Response || type === MessageType.Data;
}
