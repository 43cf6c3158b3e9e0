import { beforeEach, describe, expect, it, vi } from "vitest";
import { SilenceWatch } from "./silence-watch.ts";

describe("silence after a health check", () => {
  const state = { answers: 0, blocked: false, silences: 0 };
  let watch: SilenceWatch;

  beforeEach(({ onTestFinished }) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    Object.assign(state, { answers: 0, blocked: false, silences: 0 });
    watch = new SilenceWatch({
      limitMs: 1_000,
      answers: () => state.answers,
      isBlocked: () => state.blocked,
      onSilent: () => (state.silences += 1),
    });
  });

  it("is noticed at the limit", () => {
    watch.checkSent();
    vi.advanceTimersByTime(999);
    expect(state.silences).toBe(0);
    vi.advanceTimersByTime(1);
    expect(state.silences).toBe(1);
  });

  it("any answer breaks it", () => {
    watch.checkSent();
    state.answers = 1;
    vi.advanceTimersByTime(5_000);
    expect(state.silences).toBe(0);
  });

  it("counts from the first unanswered check, not from the latest nor from an answered one", () => {
    watch.checkSent();
    state.answers = 1;
    vi.advanceTimersByTime(500);
    watch.checkSent();
    vi.advanceTimersByTime(500);
    watch.checkSent();
    vi.advanceTimersByTime(499);
    expect(state.silences).toBe(0);
    vi.advanceTimersByTime(1);
    expect(state.silences).toBe(1);
  });

  it("proves nothing while the shim does not read, or when the connection is gone", () => {
    state.blocked = true;
    watch.checkSent();
    vi.advanceTimersByTime(1_000);
    state.blocked = false;
    watch.checkSent();
    watch.reset();
    vi.advanceTimersByTime(1_000);
    expect(state.silences).toBe(0);
  });
});
