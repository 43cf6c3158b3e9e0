import type { Socket } from "node:net";

/** A connected stream that nobody uses yet, read only to notice its end. Nothing may arrive on it. */
export class IdleStream {
  readonly #stream: Socket;
  readonly #stop: () => void;

  /** `onLost` is called once, unless the stream is released before. */
  constructor(stream: Socket, onLost: (cause: Error | undefined) => void) {
    let cause: Error | undefined;
    const onError = (error: Error): void => void (cause = error);
    const onData = (): void => void stream.destroy(new Error("the forwarder spoke unasked"));
    const onGone = (): void => {
      this.#stop();
      stream.destroy();
      onLost(cause);
    };
    this.#stream = stream;
    this.#stop = () =>
      void stream.off("error", onError).off("data", onData).off("end", onGone).off("close", onGone);
    stream.on("error", onError).on("data", onData).once("end", onGone).once("close", onGone);
    stream.resume();
    // A stream that had ended before emits nothing any more.
    if (stream.destroyed || stream.readableEnded) queueMicrotask(() => stream.emit("close"));
  }

  /** Stops watching and hands the stream over, paused. */
  release(): Socket {
    this.#stop();
    this.#stream.pause();
    return this.#stream;
  }
}
