import { FakeClock } from "@peerpods/cloud-providers/testing";
import { describe, expect, it } from "vitest";
import { createWorkQueue } from "./work-queue.ts";

const settle = () => new Promise((resolve) => void setImmediate(resolve));

function setUp(workers = 2) {
  const clock = new FakeClock();
  const queue = createWorkQueue({ clock, backoffMs: [1_000, 8_000], random: () => 1 });
  const stop = new AbortController();
  const begun: string[] = [];
  const open = new Map<string, () => void>();
  const work = (key: string) => {
    begun.push(key);
    return new Promise<void>((resolve) => void open.set(key, resolve));
  };
  const done = queue.run(work, { workers, signal: stop.signal });
  const finish = async (key: string) => {
    open.get(key)?.();
    await settle();
  };
  return { clock, queue, stop, begun, finish, done };
}

describe("work queue", () => {
  it("works on a key once at a time, and again when it was added meanwhile", async () => {
    const { queue, begun, finish } = setUp();
    for (let n = 0; n < 3; n += 1) queue.add("a");
    await settle();
    expect(begun).toEqual(["a"]);
    queue.add("a");
    queue.add("a");
    await settle();
    expect(begun).toEqual(["a"]);
    await finish("a");
    expect(begun).toEqual(["a", "a"]);
    await finish("a");
    expect(begun).toEqual(["a", "a"]);
  });

  it("keeps to the number of workers and to the order", async () => {
    const { queue, begun, finish } = setUp();
    for (const key of ["a", "b", "c", "d"]) queue.add(key);
    await settle();
    expect(begun).toEqual(["a", "b"]);
    expect(queue.depth).toBe(2);
    await finish("b");
    expect(begun).toEqual(["a", "b", "c"]);
    expect(queue.inWork().map(({ key }) => key)).toEqual(["a", "c"]);
  });

  it("backs off for each key by itself, up to a limit, and begins anew when told to forget", async () => {
    const { clock, queue, begun, finish } = setUp();
    const pauses: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      const from = clock.now();
      queue.retry("a");
      while (begun.length === n) {
        await clock.advance(500);
        await settle();
      }
      pauses.push(clock.now() - from);
      await finish("a");
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    queue.forget("a");
    queue.retry("a");
    await clock.advance(1_000);
    await settle();
    expect(begun).toHaveLength(7);
  });

  it("waits at least as long as it is asked to, and is brought forward by a change", async () => {
    const { clock, queue, begun } = setUp();
    queue.retry("a", 5_000);
    await clock.advance(4_999);
    await settle();
    expect(begun).toEqual([]);
    queue.add("a");
    await settle();
    expect(begun).toEqual(["a"]);
    await clock.advance(10_000);
    await settle();
    expect(begun).toEqual(["a"]);
  });

  it("stops when what is in work has ended, and begins nothing more", async () => {
    const { queue, stop, begun, finish, done } = setUp(1);
    queue.add("a");
    queue.add("b");
    await settle();
    stop.abort();
    await finish("a");
    await done;
    expect(begun).toEqual(["a"]);
  });
});
