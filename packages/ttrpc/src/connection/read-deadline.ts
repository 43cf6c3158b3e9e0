import { startTimer } from "./timers.ts";

/** How far the reading of frames has come; the decoder knows. */
export interface ReadProgress {
  /** Frames that are complete. */
  readonly frames: number;
  /** Whether another one has begun. */
  readonly midFrame: boolean;
}

export interface ReadDeadlineOptions {
  readonly progress: ReadProgress;
  readonly firstFrameTimeoutMs: number;
  readonly frameTimeoutMs: number;
  readonly giveUp: (cause: Error) => void;
}

/** Gives a connection up whose first frame does not come, or whose frame has begun and does not end. */
export class ReadDeadline {
  /** While set, nothing is read on purpose, so the peer cannot be late. */
  suspended = false;
  readonly #options: ReadDeadlineOptions;
  #cancelFirst: (() => void) | undefined;
  #cancelFrame: (() => void) | undefined;

  constructor(options: ReadDeadlineOptions) {
    this.#options = options;
    const { progress, firstFrameTimeoutMs, giveUp } = options;
    if (firstFrameTimeoutMs === 0) return;
    this.#cancelFirst = startTimer(firstFrameTimeoutMs, () => {
      if (progress.frames === 0) giveUp(new Error(`no frame within ${firstFrameTimeoutMs} ms of connecting`));
    });
  }

  /** To be called after each chunk; costs nothing unless the chunk ends within a frame. */
  check(): void {
    if (this.#cancelFrame === undefined && this.#options.progress.midFrame) this.#timeFrame();
  }

  clear(): void {
    this.#cancelFirst?.();
    this.#cancelFrame?.();
  }

  /** One timer serves many frames: a frame that began while it ran for another gets a full period of its own. */
  #timeFrame(): void {
    const { progress, frameTimeoutMs, giveUp } = this.#options;
    if (frameTimeoutMs === 0) return;
    const frame = progress.frames;
    this.#cancelFrame = startTimer(frameTimeoutMs, () => {
      this.#cancelFrame = undefined;
      if (!progress.midFrame) return;
      if (progress.frames === frame && !this.suspended) {
        giveUp(new Error(`a frame was not complete ${frameTimeoutMs} ms after it began`));
      } else this.#timeFrame();
    });
  }
}
