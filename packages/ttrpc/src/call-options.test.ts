import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import { describe, expect, test, vi } from "vitest";
import { createEchoPair } from "../testing/pair.ts";
import type { EchoPair } from "../testing/pair.ts";
import { requestMetadata } from "./index.ts";

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => "succeeded",
    (error: unknown) => error,
  );

/** A handler that reports why it was cancelled. */
function createHang() {
  const started = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<unknown>();
  return {
    started: started.promise,
    cancelled: cancelled.promise,
    hang: (_request: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          cancelled.resolve(signal.reason);
          reject(signal.reason as Error);
        });
        started.resolve();
      }),
  };
}

const consume = async (messages: AsyncIterable<unknown>) => {
  for await (const _ of messages) continue;
};

describe("deadlines", () => {
  test("the remaining time goes along, none if there is none", async () => {
    await using pair = createEchoPair();
    const left = Number((await pair.client.timeLeft({}, { timeoutMs: 60_000 })).value);
    expect(left).toBeGreaterThan(55_000);
    expect(left).toBeLessThanOrEqual(60_000);
    expect((await pair.client.timeLeft({})).value).toBe(-1n);
  });

  test("one longer than timers take is kept as it is", async () => {
    await using pair = createEchoPair();
    const year = 365 * 24 * 3600 * 1000;
    expect(Number((await pair.client.timeLeft({}, { timeoutMs: year })).value)).toBeGreaterThan(year - 5_000);
  });

  test("one that does not fit the wire is none", async () => {
    await using pair = createEchoPair();
    expect((await pair.client.timeLeft({}, { timeoutMs: Number.MAX_SAFE_INTEGER })).value).toBe(-1n);
  });

  test("the default applies to calls that state none", async () => {
    await using pair = createEchoPair({ client: { defaultTimeoutMs: 9_000 } });
    expect(Number((await pair.client.timeLeft({})).value)).toBeLessThanOrEqual(9_000);
    expect(Number((await pair.client.timeLeft({}, { timeoutMs: 50_000 })).value)).toBeGreaterThan(9_000);
  });

  test.each(["unary", "streaming"] as const)(
    "client and server end a %s call at its deadline",
    async (kind) => {
      const hanging = createHang();
      await using pair = createEchoPair({
        replaced: {
          hang: hanging.hang,
          async *count(request, context) {
            yield await hanging.hang(request, context);
          },
        },
      });
      const options = { timeoutMs: 20 };
      const call = kind === "unary" ? pair.client.hang({}, options) : consume(pair.client.count({}, options));
      expect(await failure(call)).toMatchObject({
        code: Code.DeadlineExceeded,
        rawMessage: "context deadline exceeded",
      });
      expect(await hanging.cancelled).toMatchObject({ code: Code.DeadlineExceeded });
      expect(await pair.client.say({ value: "on" })).toMatchObject({ value: "on" });
    },
  );

  test("one that is over before the call makes no call", async () => {
    const say = vi.fn<() => { value: string }>();
    await using pair = createEchoPair({ replaced: { say } });
    expect(await failure(pair.client.say({}, { timeoutMs: 0 }))).toMatchObject({
      code: Code.DeadlineExceeded,
    });
    expect(await failure(pair.client.say({}, { timeoutMs: -5 }))).toMatchObject({
      code: Code.DeadlineExceeded,
    });
    await pair.client.hang({}, { timeoutMs: 5 }).catch(() => undefined);
    expect(say).not.toHaveBeenCalled();
  });
});

describe("cancellation", () => {
  test.each([
    ["no reason", undefined, { code: Code.Canceled, rawMessage: "context canceled" }],
    ["a reason of its own", new Error("stop"), { code: Code.Canceled, rawMessage: "context canceled" }],
    ["a ConnectError", new ConnectError("moved", Code.Aborted), { code: Code.Aborted, rawMessage: "moved" }],
    [
      "a timeout",
      new DOMException("late", "TimeoutError"),
      { code: Code.DeadlineExceeded, rawMessage: "context deadline exceeded" },
    ],
  ])("aborting with %s ends the call here, and the server is not told", async (_what, reason, expected) => {
    const hanging = createHang();
    const pair = createEchoPair({ replaced: { hang: hanging.hang } });
    try {
      const controller = new AbortController();
      const call = failure(pair.client.hang({}, { signal: controller.signal }));
      await hanging.started;
      controller.abort(reason);
      expect(await call).toMatchObject(expected);
      expect(await pair.client.say({ value: "on" })).toMatchObject({ value: "on" });
    } finally {
      await pair[Symbol.asyncDispose]();
    }
    // Only the end of the connection tells the handler.
    expect(await hanging.cancelled).toMatchObject({ code: Code.Canceled });
  });

  test("a signal that is aborted already makes no call", async () => {
    const say = vi.fn<() => { value: string }>(() => ({ value: "" }));
    await using pair = createEchoPair({ replaced: { say } });
    expect(await failure(pair.client.say({}, { signal: AbortSignal.abort() }))).toMatchObject({
      code: Code.Canceled,
    });
    await pair.client.timeLeft({});
    expect(say).not.toHaveBeenCalled();
  });

  test("listeners on a signal that outlives its calls do not pile up", async () => {
    await using pair = createEchoPair();
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, "addEventListener");
    const remove = vi.spyOn(signal, "removeEventListener");
    await pair.client.say({}, { signal });
    await consume(pair.client.count({ value: 2 }, { signal }));
    expect(add).toHaveBeenCalledTimes(2);
    expect(remove).toHaveBeenCalledTimes(2);
  });

  test("a stream aborted midway ends its input, too", async () => {
    await using pair = createEchoPair();
    const released = Promise.withResolvers<void>();
    const controller = new AbortController();
    async function* endless() {
      try {
        for (;;) yield { value: "x" };
      } finally {
        released.resolve();
      }
    }
    const read = (async () => {
      let count = 0;
      for await (const _ of pair.client.chat(endless(), { signal: controller.signal })) {
        if (++count === 3) controller.abort();
      }
    })();
    expect(await failure(read)).toMatchObject({ code: Code.Canceled });
    await released.promise;
  });

  test("the failure of an input is the failure of its call", async () => {
    await using pair = createEchoPair();
    async function* broken() {
      yield { value: 1 };
      throw new ConnectError("no more numbers", Code.DataLoss);
    }
    expect(await failure(pair.client.sum(broken()))).toMatchObject({
      code: Code.DataLoss,
      rawMessage: "no more numbers",
    });
  });

  test("a handler sees the end of its caller's connection", async () => {
    const hanging = createHang();
    await using pair = createEchoPair({ replaced: { hang: hanging.hang } });
    void failure(pair.client.hang({}));
    await hanging.started;
    pair.connection.close();
    expect(await hanging.cancelled).toMatchObject({ code: Code.Canceled, rawMessage: "context canceled" });
    await pair.served.closed;
  });

  test("a signal asked for late is aborted already", async () => {
    const asked = Promise.withResolvers<boolean>();
    const closed = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    await using pair: EchoPair = createEchoPair({
      replaced: {
        async hang(_request, context) {
          started.resolve();
          await closed.promise;
          asked.resolve(context.signal.aborted);
          return {};
        },
      },
    });
    void failure(pair.client.hang({}));
    await started.promise;
    pair.connection.close();
    await pair.served.closed;
    closed.resolve();
    expect(await asked.promise).toBe(true);
  });
});

describe("metadata", () => {
  test("headers arrive as metadata and as headers", async () => {
    const seen: [string, string][] = [];
    await using pair = createEchoPair({
      replaced: {
        say: ({ value }, { requestHeader }) => {
          seen.push(...requestHeader);
          return { value };
        },
      },
    });
    await pair.client.say({}, { headers: { "Containerd-Namespace-Ttrpc": "k8s.io", traceparent: "00-x" } });
    expect(seen).toEqual([
      ["containerd-namespace-ttrpc", "k8s.io"],
      ["traceparent", "00-x"],
    ]);
  });

  test("verbatim entries keep case, order, repetition and what no header may hold", async () => {
    await using pair = createEchoPair();
    const values = (...entries: [string, string][]) => ({
      contextValues: createContextValues().set(requestMetadata, entries),
    });
    const entries = values(
      ["Key", " a "],
      ["key", "b"],
      ["Key", "c,d"],
      ["not a header", "\u0000\n"],
      ["", ""],
    );
    expect(await pair.client.metadata({ value: "Key" }, entries)).toMatchObject({ value: " a |c,d" });
    expect(await pair.client.metadata({ value: "not a header" }, entries)).toMatchObject({
      value: "\u0000\n",
    });
  });

  test("entries that cannot be headers leave the others readable as headers", async () => {
    await using pair = createEchoPair({
      replaced: { say: (_request, { requestHeader }) => ({ value: JSON.stringify([...requestHeader]) }) },
    });
    const contextValues = createContextValues().set(requestMetadata, [
      ["b\u0000d", "x"],
      ["K", "1"],
      ["k", "2"],
    ]);
    expect((await pair.client.say({}, { contextValues })).value).toBe('[["k","1, 2"]]');
  });
});

describe("interceptors", () => {
  test("see and change unary and streaming calls", async () => {
    const seen: string[] = [];
    await using pair = createEchoPair({
      client: {
        interceptors: [
          (next) => async (request) => {
            seen.push(`${request.url} ${request.stream ? "stream" : "unary"}`);
            request.header.set("traceparent", "00-y");
            return next(request);
          },
        ],
      },
    });
    expect(await pair.client.metadata({ value: "traceparent" })).toMatchObject({ value: "00-y" });
    expect(
      (
        await pair.client.sum(
          (async function* () {
            yield { value: 4 };
          })(),
        )
      ).value,
    ).toBe(4n);
    expect(seen).toEqual([
      "ttrpc:///peerpods.ttrpc.testing.v1.Echo/Metadata unary",
      "ttrpc:///peerpods.ttrpc.testing.v1.Echo/Sum stream",
    ]);
    expect(await failure(pair.client.hang({}, { timeoutMs: 10 }))).toMatchObject({
      code: Code.DeadlineExceeded,
    });
  });
});
