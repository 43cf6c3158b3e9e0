/** One direction that is watched: frames must not stay incomplete. */
export interface Watched {
  /** Whether a frame has begun and is not complete. */
  readonly midFrame: boolean;
  /** A number that grows with every frame that begins. */
  readonly frames: number;
  /** True while the relay itself does not read, so that the peer is not to blame. */
  readonly paused: boolean;
  fail(error: Error): void;
}

/**
 * Ends a connection on which one frame stays incomplete for `timeoutMs` (found between one and two such times, so that
 * the hot path needs no clock). Returns the way to stop watching.
 */
export function guardAgainstStalls(watched: () => readonly Watched[], timeoutMs: number): () => void {
  if (timeoutMs === 0) return () => undefined;
  let before = new Map<Watched, number>();
  const timer = setInterval(() => {
    const now = new Map<Watched, number>();
    for (const side of watched()) {
      if (!side.midFrame || side.paused) continue;
      if (before.get(side) === side.frames) {
        side.fail(new Error(`a frame was not complete after ${timeoutMs} ms`));
      } else {
        now.set(side, side.frames);
      }
    }
    before = now;
  }, timeoutMs);
  timer.unref();
  return () => clearInterval(timer);
}
