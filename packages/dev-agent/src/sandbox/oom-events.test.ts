import { describe, expect, test } from "vitest";
import { OomEvents } from "./oom-events.ts";

describe("OOM events", () => {
  test("are kept until somebody asks, in order", async ({ signal }) => {
    const events = new OomEvents();
    events.push("a");
    events.push("b");
    expect([await events.next(signal), await events.next(signal)]).toEqual(["a", "b"]);
  });

  test("go to those who wait, one each", async ({ signal }) => {
    const events = new OomEvents();
    const waiting = [events.next(signal), events.next(signal)];
    events.push("a");
    events.push("b");
    expect(await Promise.all(waiting)).toEqual(["a", "b"]);
  });

  test("are not taken by a caller that has given up", async ({ signal }) => {
    const events = new OomEvents();
    const abort = new AbortController();
    const given = events.next(abort.signal);
    abort.abort(new Error("gone"));
    await expect(given).rejects.toThrow("gone");
    events.push("a");
    expect(await events.next(signal)).toBe("a");
  });

  test("end for all with what the real agent answers", async ({ signal }) => {
    const events = new OomEvents();
    const waiting = [events.next(signal), events.next(signal)];
    events.close();
    for (const wait of [...waiting, events.next(signal)])
      await expect(wait).rejects.toMatchObject({ rawMessage: '""', code: 13 });
  });

  test("a flood does not fill the memory", async ({ signal }) => {
    const events = new OomEvents();
    for (let count = 0; count < 10_000; count += 1) events.push("a");
    let fetched = 0;
    const abort = new AbortController();
    for (;;) {
      const next = events.next(AbortSignal.any([signal, abort.signal]));
      queueMicrotask(() => setImmediate(() => abort.abort(new Error("empty"))));
      if (
        !(await next.then(
          () => true,
          () => false,
        ))
      )
        break;
      fetched += 1;
    }
    expect(fetched).toBeLessThanOrEqual(100);
  });
});
