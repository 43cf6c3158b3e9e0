import { mkdtemp, rm, stat } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { Code, createClient } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { echoRoutes, echoService } from "../../testing/echo-service.ts";
import { Echo } from "../../testing/gen/echo_pb.ts";
import { requestFrame } from "../../testing/raw-peer.ts";
import { dialTtrpc } from "../client/dial.ts";
import { isTtrpcClosed } from "../status/errors.ts";
import { createTtrpcServer } from "./server.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ttrpc-server-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => "succeeded",
    (error: unknown) => error,
  );

describe("listening and dialling", () => {
  test("a unix socket is served, and gone after the server", async () => {
    const path = join(directory, "echo.sock");
    {
      await using server = createTtrpcServer(echoRoutes());
      expect(await server.listen({ path })).toEqual({ path });
      await using connection = await dialTtrpc({ path });
      expect(await createClient(Echo, connection.transport).say({ value: "hi" })).toMatchObject({
        value: "hi",
      });
    }
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("port 0 is answered with the port chosen; one server may listen in several places", async () => {
    await using server = createTtrpcServer(echoRoutes());
    const tcp = await server.listen({ host: "127.0.0.1", port: 0 });
    const unix = await server.listen({ path: join(directory, "echo.sock") });
    for (const address of [tcp, unix]) {
      await using connection = await dialTtrpc(address);
      expect(await createClient(Echo, connection.transport).say({ value: "hi" })).toMatchObject({
        value: "hi",
      });
    }
  });

  test("a socket file whose process died is replaced, one in use is not", async () => {
    const path = join(directory, "echo.sock");
    const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    await once(spawn(process.execPath, ["-e", script], { stdio: "ignore" }), "exit");
    expect((await stat(path)).isSocket()).toBe(true);
    await using server = createTtrpcServer(echoRoutes());
    await server.listen({ path });
    await using second = createTtrpcServer(echoRoutes());
    await expect(second.listen({ path })).rejects.toMatchObject({
      code: "EADDRINUSE",
      message: expect.stringContaining(path),
    });
    await using connection = await dialTtrpc({ path });
    expect(await createClient(Echo, connection.transport).say({ value: "on" })).toMatchObject({
      value: "on",
    });
  });

  test.each([0, 108])("a socket path of %i bytes is refused by name", async (length) => {
    const path = "/".padEnd(length, "x").slice(0, length);
    await using server = createTtrpcServer(echoRoutes());
    await expect(server.listen({ path })).rejects.toThrow(
      `socket path "${path}" has ${length} bytes, allowed are 1 to 107`,
    );
  });

  test("dialling where nobody listens names the address", async () => {
    const path = join(directory, "nobody.sock");
    expect(await failure(dialTtrpc({ path }))).toMatchObject({
      code: Code.Unavailable,
      rawMessage: expect.stringContaining(`cannot connect to ${path}: `),
    });
  });

  test("dialling ends with its signal and its time", async () => {
    expect(
      await failure(dialTtrpc({ path: join(directory, "x") }, { signal: AbortSignal.abort() })),
    ).toMatchObject({ code: Code.Canceled });
    // A full backlog: the kernel neither accepts nor refuses.
    const blocked = createServer().listen({ host: "127.0.0.1", port: 0, backlog: 0 });
    await once(blocked, "listening");
    const { port } = blocked.address() as AddressInfo;
    blocked.close();
    expect(await failure(dialTtrpc({ host: "127.0.0.1", port }))).toMatchObject({ code: Code.Unavailable });
    expect(await failure(dialTtrpc({ path: join(directory, "x") }, { dialTimeoutMs: 0 }))).toMatchObject({
      code: Code.DeadlineExceeded,
    });
  });
});

describe("limits and registration", () => {
  test("connections beyond the limit are closed at once, and make room when they end", async () => {
    const refused: object[] = [];
    const path = join(directory, "echo.sock");
    await using server = createTtrpcServer(echoRoutes(), {
      maxConnections: 1,
      logger: { debug: () => undefined, warn: (fields) => void refused.push(fields) },
    });
    await server.listen({ path });
    const first = await dialTtrpc({ path });
    await createClient(Echo, first.transport).say({});
    const second = await dialTtrpc({ path });
    expect(isTtrpcClosed(await failure(createClient(Echo, second.transport).say({})))).toBe(true);
    expect(refused).toMatchObject([{ connections: 1, maxConnections: 1 }]);
    await first[Symbol.asyncDispose]();
    await expect
      .poll(async () => {
        await using third = await dialTtrpc({ path });
        return await failure(createClient(Echo, third.transport).say({ value: "room" }));
      })
      .toBe("succeeded");
  });

  test("a method registered twice, and options that have no effect, are refused", () => {
    expect(() =>
      createTtrpcServer((router) => router.service(Echo, echoService).rpc(Echo.method.say, echoService.say)),
    ).toThrow("peerpods.ttrpc.testing.v1.Echo/Say is registered twice");
    expect(() =>
      createTtrpcServer((router) => router.service(Echo, echoService, { readMaxBytes: 5 })),
    ).toThrow("peerpods.ttrpc.testing.v1.Echo: router options (readMaxBytes) have no effect over ttrpc");
  });

  test("a method without an implementation is UNIMPLEMENTED", async () => {
    const path = join(directory, "echo.sock");
    await using server = createTtrpcServer((router) => router.service(Echo, {}));
    await server.listen({ path });
    await using connection = await dialTtrpc({ path });
    expect(await failure(createClient(Echo, connection.transport).say({}))).toMatchObject({
      code: Code.Unimplemented,
    });
  });
});

describe("shutdown", () => {
  test("lets running calls end and their answers arrive, refuses new ones, then closes", async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const path = join(directory, "echo.sock");
    await using server = createTtrpcServer(
      echoRoutes({
        async produce({ value }) {
          started.resolve();
          await gate.promise;
          return { value: new Uint8Array(value) };
        },
      }),
    );
    await server.listen({ path });
    await using busy = await dialTtrpc({ path });
    await using idle = await dialTtrpc({ path });
    await createClient(Echo, idle.transport).say({});
    const client = createClient(Echo, busy.transport);
    const running = client.produce({ value: 3 << 20 });
    await started.promise;
    const done = server.shutdown();
    await idle.closed;
    expect(await failure(client.say({}))).toMatchObject({
      code: Code.Unavailable,
      rawMessage: "ttrpc: server closed",
    });
    expect(await failure(dialTtrpc({ path }))).toMatchObject({ code: Code.Unavailable });
    gate.resolve();
    expect((await running).value).toHaveLength(3 << 20);
    await done;
    await busy.closed;
    await server.shutdown();
    await expect(server.listen({ path })).rejects.toThrow("the ttrpc server was closed");
  });

  test("does not wait for a peer that leaves its side open", async () => {
    const path = join(directory, "echo.sock");
    await using server = createTtrpcServer(echoRoutes());
    await server.listen({ path });
    const peer = connect({ path, allowHalfOpen: true }).resume();
    try {
      peer.write(requestFrame(1, "Say"));
      await once(peer, "data");
      await Promise.all([once(peer, "end"), server.shutdown()]);
      expect(peer.writable).toBe(true);
    } finally {
      peer.destroy();
    }
  });

  test.each([
    ["its signal", () => ({ signal: AbortSignal.abort() })],
    ["its time", () => ({ timeoutMs: 10 })],
  ])("ends what is left by %s", async (_what, options) => {
    const path = join(directory, "echo.sock");
    await using server = createTtrpcServer(echoRoutes());
    await server.listen({ path });
    await using connection = await dialTtrpc({ path });
    const client = createClient(Echo, connection.transport);
    await client.say({});
    const hanging = failure(client.hang({}));
    await client.say({});
    await server.shutdown(options());
    expect(isTtrpcClosed(await hanging)).toBe(true);
  });
});
