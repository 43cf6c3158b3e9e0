import { describe, expect, it } from "vitest";
import { shared } from "./shared.ts";

const signal = () => AbortSignal.timeout(10_000);

describe("something shared", () => {
  it("is made once, also when many ask at once", async () => {
    let made = 0;
    const thing = shared(() => Promise.resolve(++made));
    expect(thing.made).toBeUndefined();
    expect(await Promise.all([thing.get(signal()), thing.get(signal())])).toEqual([1, 1]);
    expect(await thing.get(signal())).toBe(1);
    expect(thing.made).toBe(1);
  });

  it("is made anew after a failure", async () => {
    let tries = 0;
    const thing = shared(() => (++tries === 1 ? Promise.reject(new Error("first")) : Promise.resolve(tries)));
    await expect(thing.get(signal())).rejects.toThrow("first");
    expect(await thing.get(signal())).toBe(2);
  });

  it("outlives the one who asked first", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const seen: AbortSignal[] = [];
    const thing = shared((own) => {
      seen.push(own);
      return promise;
    });
    const gone = new AbortController();
    const first = thing.get(gone.signal);
    const second = thing.get(signal());
    gone.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    resolve("made");
    expect(await second).toBe("made");
    expect(seen.map((own) => own.aborted)).toEqual([false]);
  });

  it("is not asked for by a call that is over", async () => {
    const thing = shared(() => Promise.reject(new Error("made")));
    await expect(thing.get(AbortSignal.abort(new Error("over")))).rejects.toThrow("over");
  });
});
