import { access, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RelayOpenRequest, RelayTls } from "../sandbox/relay-port.ts";
import { RelayError } from "./errors.ts";
import { AgentVm } from "./testing/agent-vm.ts";
import { dialShim, startFixture, untilEvent } from "./testing/fixture.ts";
import { makeTestTls } from "./testing/tls.ts";

const never = { signal: new AbortController().signal };

async function fixtureFor(limits: Parameters<typeof startFixture>[0] = {}) {
  const fixture = await startFixture(limits);
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  return fixture;
}

async function shimOn(request: RelayOpenRequest) {
  const shim = await dialShim(request.socketPath);
  onTestFinished(() => shim[Symbol.asyncDispose]());
  return shim;
}

describe("open", () => {
  it("binds a root-only socket and reaches the agent over mutual TLS", async () => {
    const { table, vm, request } = await fixtureFor();
    const wanted = request("sb1");
    await table.open(wanted, never);

    expect((await stat(wanted.socketPath)).mode & 0o777).toBe(0o600);
    const shim = await shimOn(wanted);
    await expect(shim.health.check({})).resolves.toMatchObject({ status: 1 });
    expect(vm.calls).toEqual(["Check"]);
    // The connection made by `open` is the one that carries the calls.
    expect(vm.connections).toBe(1);
    expect(await table.list(never)).toEqual([
      expect.objectContaining({ sandboxId: "sb1", state: "connected", shim: "connected", reconnects: 0 }),
    ]);
  });

  it("joins an attempt under way, resolves at once when open, and refuses another target", async () => {
    const { table, request, proxy } = await fixtureFor();
    const wanted = request("sb1");
    await Promise.all([table.open(wanted, never), table.open(wanted, never)]);
    await table.open(wanted, never);
    expect(proxy.connections).toBe(1);
    await expect(
      table.open(request("sb1", { target: { host: "127.0.0.2", port: 1 } }), never),
    ).rejects.toMatchObject({ code: "conflict" });
    expect(await table.list(never)).toHaveLength(1);
  });

  it("waits for a forwarder that comes late", async () => {
    const { table, request, proxy } = await fixtureFor();
    proxy.refuse();
    const opening = table.open(request("sb1"), never);
    setTimeout(() => proxy.restore(), 100);
    await opening;
    expect(proxy.connections).toBeGreaterThan(1);
  });

  it("gives up at the dial timeout with the cause, and leaves nothing", async () => {
    const { table, request, proxy } = await fixtureFor();
    proxy.refuse();
    const wanted = request("sb1", { dialTimeoutMs: 150 });
    await expect(table.open(wanted, never)).rejects.toMatchObject({
      code: "unreachable",
      retryable: true,
      message: expect.stringMatching(/did not answer within 150 ms: .*(ECONNRESET|closed|disconnected)/),
    });
    expect(await table.list(never)).toEqual([]);
    await expect(access(wanted.socketPath)).rejects.toThrow("ENOENT");
  });

  it("stops when its last caller leaves, and leaves nothing", async () => {
    const { table, request, proxy } = await fixtureFor();
    proxy.silence();
    const first = new AbortController();
    const second = new AbortController();
    const wanted = request("sb1");
    const attempts = [
      table.open(wanted, { signal: first.signal }),
      table.open(wanted, { signal: second.signal }),
    ];
    first.abort(new Error("first left"));
    await expect(attempts[0]).rejects.toThrow("first left");
    expect(table.size).toBe(1);
    second.abort(new Error("second left"));
    await expect(attempts[1]).rejects.toThrow("second left");
    const closed = table.watch(never)[Symbol.asyncIterator]();
    if (table.size > 0) {
      await untilEvent({ [Symbol.asyncIterator]: () => closed }, (event) => event.type === "closed");
    }
    await expect(access(wanted.socketPath)).rejects.toThrow("ENOENT");
  });

  it("ends with `closed` when the sandbox is closed meanwhile", async () => {
    const { table, request, proxy } = await fixtureFor();
    proxy.silence();
    const opening = table.open(request("sb1"), never);
    await Promise.all([expect(opening).rejects.toMatchObject({ code: "closed" }), table.close("sb1", never)]);
    expect(table.size).toBe(0);
  });

  it("replaces a stale socket file but no other file", async () => {
    const { table, request, directory } = await fixtureFor();
    const path = join(directory, "precious");
    await writeFile(path, "data");
    await expect(table.open(request("sb1", { socketPath: path }), never)).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringContaining("no socket"),
    });
    await access(path);
  });
});

describe("trust", () => {
  it.each<[string, () => Promise<Partial<RelayTls>>]>([
    ["a server of another authority", async () => ({ ca: (await makeTestTls()).relay.ca })],
    ["a server of another name", () => Promise.resolve({ serverName: "podvm-other" })],
  ])("%s is refused at once", async (_reason, change) => {
    const { table, request, tls } = await fixtureFor();
    const relay = { ...tls.relay, ...(await change()) };
    const began = performance.now();
    const error: unknown = await table
      .open(request("sb1", { tls: relay, dialTimeoutMs: 60_000 }), never)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RelayError);
    expect(error).toMatchObject({ code: "refused", retryable: false });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(table.size).toBe(0);
  });

  it("a client that the forwarder does not accept is noticed by open, not by the first call", async () => {
    const { table, request, tls } = await fixtureFor();
    const other = await makeTestTls();
    const relay = { ...tls.relay, cert: other.relay.cert, key: other.relay.key };
    await expect(
      table.open(request("sb1", { tls: relay, dialTimeoutMs: 60_000 }), never),
    ).rejects.toMatchObject({ code: "refused", message: expect.stringMatching(/alert|certificate/i) });
  });

  it("a forwarder that only speaks an older TLS than asked for is refused at once", async () => {
    const { table, request, tls } = await fixtureFor();
    await using old = await AgentVm.start({ ...tls.server, maxVersion: "TLSv1.2" });
    const wanted = request("sb1", { target: old.target, dialTimeoutMs: 60_000 });
    await expect(
      table.open({ ...wanted, tls: { ...tls.relay, minVersion: "TLSv1.3" } }, never),
    ).rejects.toMatchObject({ code: "refused" });
    await table.open(wanted, never);
  });

  it("a forwarder without TLS is never reached, in clear neither", async () => {
    const { table, request } = await fixtureFor();
    await using plain = await AgentVm.start();
    await expect(
      table.open(request("sb1", { target: plain.target, dialTimeoutMs: 500 }), never),
    ).rejects.toMatchObject({ code: "unreachable" });
    expect(plain.calls).toEqual([]);
  });

  it("unusable key material is named without being shown", async () => {
    const { table, request, tls } = await fixtureFor();
    const relay = { ...tls.relay, key: "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n" };
    const error = (await table
      .open(request("sb1", { tls: relay }), never)
      .catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: "invalid_request" });
    expect(`${error.message} ${String(error.cause)}`).not.toContain("CANARY");
  });
});

describe("a VM connection that breaks", () => {
  it("is got back: blocked calls go on, others fail, the shim's connection stays", async () => {
    const { table, vm, proxy, request } = await fixtureFor();
    const wanted = request("sb1");
    await table.open(wanted, never);
    const shim = await shimOn(wanted);

    const exit = shim.agent.waitProcess({ containerId: "c", execId: "c" });
    const output = shim.agent.readStdout({ containerId: "c", execId: "c", len: 32_768 });
    const oom = shim.agent.getOOMEvent({}).catch((error: unknown) => error);
    const exec = shim.agent.execProcess({ containerId: "c", execId: "e" });
    await Promise.all(
      ["WaitProcess", "ReadStdout", "GetOOMEvent", "ExecProcess"].map((name) => vm.called(name)),
    );

    proxy.cut();
    await expect(exec).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: expect.stringContaining("broke during this call"),
    });
    await Promise.all(["WaitProcess", "ReadStdout", "GetOOMEvent"].map((name) => vm.called(name, 2)));
    vm.print("after the cut");
    vm.exit.resolve(7);
    expect(Buffer.from((await output).data).toString()).toBe("after the cut");
    expect(await exit).toMatchObject({ status: 7 });

    expect(await table.list(never)).toEqual([
      expect.objectContaining({ state: "connected", shim: "connected", reconnects: 1 }),
    ]);
    await table.close("sb1", never);
    expect(await oom).toBeInstanceOf(ConnectError);
  });

  it("health checks are answered meanwhile, and calls that were not sent wait", async () => {
    const { table, vm, proxy, request } = await fixtureFor();
    const wanted = request("sb1");
    await table.open(wanted, never);
    const shim = await shimOn(wanted);
    await shim.health.check({});

    const states = table.watch(never);
    proxy.refuse();
    await untilEvent(states, (event) => event.type === "changed" && event.sandbox.state === "reconnecting");
    await expect(shim.health.check({}, { timeoutMs: 1_000 })).resolves.toMatchObject({ status: 1 });
    const copy = shim.agent.copyFile({ path: "/f" });
    expect(vm.calls).toEqual(["Check"]);
    proxy.restore();
    await copy;
    expect(vm.calls).toEqual(["Check", "CopyFile"]);
  });

  it("that stays away for too long is lost: every call is refused, the shim's connection stays", async () => {
    const { table, proxy, request } = await fixtureFor({ reconnectTimeoutMs: 200 });
    const wanted = request("sb1");
    await table.open(wanted, never);
    const shim = await shimOn(wanted);
    const exit = shim.agent.waitProcess({ containerId: "c", execId: "c" });
    proxy.refuse();
    await expect(exit).rejects.toMatchObject({ code: Code.Unavailable });
    await expect(shim.health.check({})).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: expect.stringContaining("lost"),
    });
    expect(await table.list(never)).toEqual([expect.objectContaining({ state: "lost", shim: "connected" })]);
  });

  it("a VM that vanished silently is noticed by an unanswered health check", async () => {
    const { table, vm, proxy, request } = await fixtureFor({ silenceTimeoutMs: 200 });
    const wanted = request("sb1");
    await table.open(wanted, never);
    const shim = await shimOn(wanted);
    await shim.health.check({});
    proxy.silence();
    const check = shim.health.check({}, { timeoutMs: 5_000 });
    await expect(check).resolves.toMatchObject({ status: 1 });
    proxy.restore();
    await shim.agent.copyFile({ path: "/f" });
    expect(vm.calls).toEqual(["Check", "CopyFile"]);
  });

  it("an agent that accepts connections but never answers is given up in the end", async () => {
    const { table, vm, request } = await fixtureFor({ silenceTimeoutMs: 30, reconnectTimeoutMs: 200 });
    const wanted = request("sb1");
    await table.open(wanted, never);
    const shim = await shimOn(wanted);
    vm.answersChecks = false;
    await expect
      .poll(() => shim.health.check({}).catch((error: unknown) => error), { interval: 20, timeout: 4_000 })
      .toMatchObject({ code: Code.Unavailable });
    expect(await table.list(never)).toEqual([expect.objectContaining({ state: "lost" })]);
  });

  it("after DestroySandbox is what success looks like", async () => {
    const { table, vm, request } = await fixtureFor();
    const wanted = request("sb1");
    await table.open(wanted, never);
    const shim = await shimOn(wanted);
    await expect(shim.agent.destroySandbox({})).resolves.toBeDefined();
    expect(vm.calls).toEqual(["DestroySandbox"]);
    expect(await table.list(never)).toEqual([expect.objectContaining({ state: "lost" })]);
  });
});

describe("the shim's side", () => {
  it("a second connection that never speaks costs no VM connection and does not count as the shim", async () => {
    const { table, vm, request } = await fixtureFor();
    const wanted = request("sb1");
    await table.open(wanted, never);
    const silent = await shimOn(wanted);
    const shim = await shimOn(wanted);
    await shim.health.check({});
    expect(vm.connections).toBe(1);
    shim.close();
    await shim.closed;
    await untilEvent(
      table.watch(never),
      (event) => event.type === "changed" && event.sandbox.shim === "gone",
    );
    silent.close();
  });

  it("several speaking connections get a VM connection each", async () => {
    const { table, vm, request } = await fixtureFor();
    const wanted = request("sb1");
    await table.open(wanted, never);
    const [one, two] = await Promise.all([shimOn(wanted), shimOn(wanted)]);
    await Promise.all([one.health.check({}), two.health.check({})]);
    expect(vm.connections).toBe(2);
  });

  it("a flood of silent connections does not keep the shim out", async () => {
    const { table, request } = await fixtureFor({ maxConnectionsPerSandbox: 3 });
    const wanted = request("sb1");
    await table.open(wanted, never);
    for (let count = 0; count < 20; count += 1) await shimOn(wanted);
    const shim = await shimOn(wanted);
    await expect(shim.health.check({})).resolves.toMatchObject({ status: 1 });
  });

  it("passes statuses of the agent unchanged", async () => {
    const { table, request } = await fixtureFor();
    const wanted = request("sb1");
    await table.open(wanted, never);
    const shim = await shimOn(wanted);
    await expect(shim.agent.removeContainer({ containerId: "c" })).rejects.toMatchObject({
      code: Code.NotFound,
      rawMessage: '"InvalidExecId"',
    });
  });
});

describe("close", () => {
  it("ends both connections, removes the socket, can be repeated", async () => {
    const { table, vm, request } = await fixtureFor();
    const wanted = request("sb1");
    await table.open(wanted, never);
    const shim = await shimOn(wanted);
    await shim.health.check({});
    await table.close("sb1", never);
    await table.close("sb1", never);
    await table.close("never-there", never);
    await shim.closed;
    await expect(access(wanted.socketPath)).rejects.toThrow("ENOENT");
    await expect.poll(() => vm.connections).toBe(0);
    expect(table.size).toBe(0);
  });

  it("and open at the same time end in an open sandbox", async () => {
    const { table, request } = await fixtureFor();
    const wanted = request("sb1");
    await table.open(wanted, never);
    const closing = table.close("sb1", never);
    await table.open(wanted, never);
    await closing;
    const shim = await shimOn(wanted);
    await expect(shim.health.check({})).resolves.toMatchObject({ status: 1 });
  });
});
