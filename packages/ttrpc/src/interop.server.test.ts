import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, createClient, createContextValues } from "@connectrpc/connect";
import type { ConnectError, ServiceImpl } from "@connectrpc/connect";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { echoRoutes } from "../testing/echo-service.ts";
import { Echo } from "../testing/gen/echo_pb.ts";
import { GoPeer, buildGoPeer } from "../testing/go-peer.ts";
import { createTtrpcServer, dialTtrpc, errorFromStatus, isTtrpcClosed, requestMetadata } from "./index.ts";

const program = await buildGoPeer(process.env);
const goPeer = "path" in program ? program.path : "";
const why = "missing" in program ? ` (skipped: ${program.missing})` : "";

let directory: string;
let socket: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ttrpc-interop-"));
  socket = join(directory, "echo.sock");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => "succeeded",
    (error: unknown) => error,
  );

async function* numbers(count: number): AsyncGenerator<{ value: number }> {
  for (let value = 0; value < count; value++) yield { value };
}

describe.skipIf(why !== "")(`our client, containerd's Go server${why}`, () => {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    const server = stack.use(new GoPeer(goPeer, "serve", socket));
    await server.ready();
    const connection = stack.use(await dialTtrpc({ path: socket }));
    const client = createClient(Echo, connection.transport);
    return { server, connection, client, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  test("unary calls, many at once, small and near the limit", async () => {
    await using pair = await setUp();
    const texts = Array.from({ length: 500 }, (_, index) => `call ${index} \u{1f600}`);
    const answers = await Promise.all(texts.map((value) => pair.client.say({ value })));
    expect(answers.map(({ value }) => value)).toEqual(texts);
    expect(await pair.client.say({})).toMatchObject({ value: "" });
    const long = "x".repeat((4 << 20) - 100);
    expect((await pair.client.say({ value: long })).value).toBe(long);
  });

  test("all kinds of streams", async () => {
    await using pair = await setUp();
    const counted: number[] = [];
    for await (const { value } of pair.client.count({ value: 1000 })) counted.push(value);
    expect(counted).toEqual(Array.from({ length: 1000 }, (_, index) => index));
    expect((await pair.client.sum(numbers(1000))).value).toBe(499_500n);
    expect((await pair.client.sum(numbers(0))).value).toBe(0n);
    const texts: string[] = [];
    const input = (async function* () {
      yield* ["a", "", "b"].map((value) => ({ value }));
    })();
    for await (const { value } of pair.client.chat(input)) texts.push(value);
    expect(texts).toEqual(["a", "", "b"]);
  });

  test("statuses with details, byte for byte", async () => {
    await using pair = await setUp();
    for (let code = 1; code <= 16; code++) {
      const error = await failure(pair.client.fail({ value: `${code}:\ufeffwhat: ümläut "quoted"\n` }));
      expect(error).toMatchObject({ code, rawMessage: '\ufeffwhat: ümläut "quoted"\n' });
      const details = (error as ConnectError).findDetails(StringValueSchema);
      expect(details).toMatchObject([{ value: 'detail of \ufeffwhat: ümläut "quoted"\n' }]);
    }
    const counting = (async () => {
      for await (const _ of pair.client.count({ value: 3 })) continue;
    })();
    expect(await failure(counting)).toMatchObject({ code: Code.OutOfRange, rawMessage: "odd" });
  });

  test("deadlines and metadata arrive", async () => {
    await using pair = await setUp();
    const left = Number((await pair.client.timeLeft({}, { timeoutMs: 60_000 })).value);
    expect(left).toBeGreaterThan(50_000);
    expect(left).toBeLessThanOrEqual(60_000);
    expect((await pair.client.timeLeft({})).value).toBe(-1n);
    expect(await failure(pair.client.hang({}, { timeoutMs: 50 }))).toMatchObject({
      code: Code.DeadlineExceeded,
    });
    const headers = { "containerd-namespace-ttrpc": "k8s.io" };
    expect(await pair.client.metadata({ value: "containerd-namespace-ttrpc" }, { headers })).toMatchObject({
      value: "k8s.io",
    });
    const contextValues = createContextValues().set(requestMetadata, [
      ["Key", "a"],
      ["Key", "b"],
    ]);
    expect(await pair.client.metadata({ value: "Key" }, { contextValues })).toMatchObject({ value: "a|b" });
  });

  test("a request above the limit fails here, and the connection goes on", async () => {
    await using pair = await setUp();
    expect(await failure(pair.client.say({ value: "x".repeat(4 << 20) }))).toMatchObject({
      code: Code.ResourceExhausted,
    });
    expect(await pair.client.say({ value: "on" })).toMatchObject({ value: "on" });
  });

  test("an answer above the limit costs a Go server its connection: ttrpc: closed", async () => {
    await using pair = await setUp();
    const tooMuch = { value: 4 << 20 };
    expect(isTtrpcClosed(await failure(pair.client.produce(tooMuch)))).toBe(true);
    await pair.connection.closed;
  });

  test("unknown methods", async () => {
    await using pair = await setUp();
    const method = { ...Echo.method.say, name: "NoSuch" };
    const call = pair.connection.transport.unary(method, undefined, undefined, undefined, {});
    expect(await failure(call)).toMatchObject({ code: Code.Unimplemented, rawMessage: "method NoSuch" });
  });

  test("a server that dies midway fails calls in flight and later ones", async () => {
    await using pair = await setUp();
    const hanging = failure(pair.client.hang({}));
    await pair.client.say({});
    pair.server.kill();
    expect(isTtrpcClosed(await hanging)).toBe(true);
    expect(isTtrpcClosed(await failure(pair.client.say({})))).toBe(true);
  });
});

describe.skipIf(why !== "")(`our server, containerd's Go client${why}`, () => {
  async function setUp(replaced: Partial<ServiceImpl<typeof Echo>> = {}) {
    const stack = new AsyncDisposableStack();
    const server = stack.use(createTtrpcServer(echoRoutes(replaced)));
    await server.listen({ path: socket });
    const client = stack.use(new GoPeer(goPeer, "call", socket));
    return { server, client, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  test("unary calls, many at once, small and near the limit", async () => {
    await using pair = await setUp();
    const { answers, error } = await pair.client.call({ method: "Say", text: "hello", times: 500 });
    expect([error, answers]).toEqual([undefined, Array.from({ length: 500 }, () => "hello")]);
    expect(await pair.client.call({ method: "Say" })).toEqual({ answers: [""] });
    const length = (4 << 20) - 100;
    expect(await pair.client.call({ method: "Say", length })).toEqual({ answers: [`${length} characters`] });
    expect(await pair.client.call({ method: "Produce", number: length })).toEqual({
      answers: [`${length} bytes`],
    });
  });

  test("all kinds of streams", async () => {
    await using pair = await setUp();
    const counted = await pair.client.call({ method: "Count", number: 1000 });
    expect(counted).toEqual({ answers: Array.from({ length: 1000 }, (_, index) => `${index}`) });
    expect(await pair.client.call({ method: "Sum", number: 1000 })).toEqual({ answers: ["499500"] });
    expect(await pair.client.call({ method: "Sum" })).toEqual({ answers: ["0"] });
    expect(await pair.client.call({ method: "Chat", number: 3 })).toEqual({
      answers: ["turn 0", "turn 1", "turn 2"],
    });
  });

  test("statuses with details, byte for byte", async () => {
    await using pair = await setUp({
      fail: ({ value }) => {
        const [code, message = ""] = value.split(":", 2);
        const details = [{ desc: StringValueSchema, value: { value: "a detail" } }];
        throw Object.assign(errorFromStatus({ code: Number(code), message }), { details });
      },
    });
    for (let code = 1; code <= 16; code++) {
      expect(
        await pair.client.call({ method: "Fail", text: `${code}:\ufeffümläut "quoted"\n` }),
      ).toMatchObject({
        code,
        message: '\ufeffümläut "quoted"\n',
        details: ["type.googleapis.com/google.protobuf.StringValue"],
      });
    }
    expect(await pair.client.call({ method: "Count", number: 3 })).toMatchObject({
      answers: ["0", "1", "2"],
      code: Code.OutOfRange,
      message: "odd",
    });
  });

  test("deadlines and metadata arrive", async () => {
    await using pair = await setUp();
    const { answers } = await pair.client.call({ method: "TimeLeft", timeoutMs: 60_000 });
    expect(Number(answers[0])).toBeGreaterThan(50_000);
    expect(await pair.client.call({ method: "TimeLeft" })).toEqual({ answers: ["-1"] });
    const metadata = { key: ["a", "b"] };
    expect(await pair.client.call({ method: "Metadata", text: "key", metadata })).toEqual({
      answers: ["a|b"],
    });
    expect(await pair.client.call({ method: "Hang", timeoutMs: 50 })).toMatchObject({
      error: expect.stringContaining("context deadline exceeded"),
    });
    expect(await pair.client.call({ method: "Say", text: "on" })).toEqual({ answers: ["on"] });
  });

  test("requests and answers above the limit, and the connection goes on", async () => {
    await using pair = await setUp();
    expect(await pair.client.call({ method: "Say", length: 4 << 20 })).toMatchObject({
      code: Code.ResourceExhausted,
    });
    const answer = await pair.client.call({ method: "Produce", number: 4 << 20 });
    expect(answer).toMatchObject({
      code: Code.ResourceExhausted,
      message: "message length 4194314 exceed maximum message size of 4194304",
    });
    expect(await pair.client.call({ method: "Say", text: "on" })).toEqual({ answers: ["on"] });
  });

  test("unknown services and methods", async () => {
    await using pair = await setUp();
    const service = "no.Such";
    expect(await pair.client.call({ method: "Say", service })).toMatchObject({
      code: 12,
      message: "service no.Such",
    });
    expect(await pair.client.call({ method: "NoSuch" })).toMatchObject({
      code: 12,
      message: "method NoSuch",
    });
  });

  test("a client that dies midway cancels its handlers", async () => {
    const started = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<unknown>();
    await using pair = await setUp({
      hang: (_request, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            cancelled.resolve(signal.reason);
            reject(signal.reason as Error);
          });
          started.resolve();
        }),
    });
    const hanging = failure(pair.client.call({ method: "Hang" }));
    await started.promise;
    pair.client.kill();
    expect(await cancelled.promise).toMatchObject({ code: Code.Canceled });
    expect(await hanging).toBeInstanceOf(Error);
  });

  test("a server that closes midway gives a Go client ttrpc: closed", async () => {
    const started = Promise.withResolvers<void>();
    await using pair = await setUp({
      hang: () => {
        started.resolve();
        return new Promise(() => undefined);
      },
    });
    const hanging = pair.client.call({ method: "Hang" });
    await started.promise;
    await pair.server[Symbol.asyncDispose]();
    expect(await hanging).toMatchObject({ error: expect.stringContaining("ttrpc: closed") });
    expect(await pair.client.call({ method: "Say" })).toMatchObject({ error: "ttrpc: closed" });
  });
});
