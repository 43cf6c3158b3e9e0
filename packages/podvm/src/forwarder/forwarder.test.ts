import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { AgentService } from "@peerpods/kata-protocols/agent";
import type { CreateContainerRequest, CreateSandboxRequest } from "@peerpods/kata-protocols/agent";
import { Health } from "@peerpods/kata-protocols/health";
import { FrameDecoder, MessageType, decodeResponse, encodeFrame } from "@peerpods/ttrpc";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startBench } from "./testing/test-forwarder.ts";
import type { Bench, BenchOptions } from "./testing/test-forwarder.ts";

const benches: Bench[] = [];
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench[Symbol.asyncDispose]();
});

async function start(options: BenchOptions = {}): Promise<Bench> {
  const bench = await startBench(options);
  benches.push(bench);
  return bench;
}

async function clients(bench: Bench) {
  const connection = await bench.client();
  return {
    connection,
    agent: createClient(AgentService, connection.transport),
    health: createClient(Health, connection.transport),
  };
}

describe("calls", () => {
  it("reach the agent with metadata and deadline, and come back", async () => {
    const bench = await start();
    const { health } = await clients(bench);
    const headers = { "containerd-namespace-ttrpc": "k8s.io" };
    expect((await health.check({}, { headers, timeoutMs: 30_000 })).status).toBe(1);
    expect(bench.agent.calls).toEqual([expect.stringMatching(/^Check k8s\.io (30000|29\d{3}(\.\d+)?)$/)]);
  });

  it("come back with the agent's own error, unchanged", async () => {
    const bench = await start({ methods: {} });
    const { agent } = await clients(bench);
    await expect(agent.pauseContainer({})).rejects.toMatchObject({ code: 12 });
  });

  it("carry large payloads both ways", async () => {
    const data = new Uint8Array(1 << 20).fill(7);
    const bench = await start({
      methods: {
        copyFile: ({ data: received }) => {
          if (received.length !== data.length) throw new Error(`got ${received.length} bytes`);
          return {};
        },
        getDiagnosticData: () => ({ data: "x".repeat(3 << 20) }),
      },
    });
    const { agent } = await clients(bench);
    await Promise.all(Array.from({ length: 8 }, () => agent.copyFile({ data })));
    expect((await agent.getDiagnosticData({})).data).toHaveLength(3 << 20);
  });
});

describe("calls that are changed", () => {
  it("CreateContainer joins the pod's network, and its bind sources exist", async () => {
    const seen: CreateContainerRequest[] = [];
    const bench = await start({
      methods: {
        createContainer: (request) => {
          seen.push(request);
          return {};
        },
      },
    });
    const { agent } = await clients(bench);
    const source = join(bench.directory, "a/b/c");
    await agent.createContainer({
      containerId: "c1",
      OCI: {
        Mounts: [
          { type: "bind", source, destination: "/data" },
          { type: "tmpfs", source: join(bench.directory, "not-made"), destination: "/t" },
        ],
        Linux: {
          Namespaces: [
            { Type: "mount", Path: "" },
            { Type: "network", Path: "/worker" },
          ],
        },
      },
    });
    const namespaces = seen[0]?.OCI?.Linux?.Namespaces.map(({ Type, Path }) => [Type, Path]);
    expect(namespaces).toEqual([
      ["mount", ""],
      ["network", "/run/netns/podns"],
    ]);
    await access(source);
    await expect(access(join(bench.directory, "not-made"))).rejects.toThrow("ENOENT");
  });

  it("CreateContainer without a spec is refused and does not reach the agent", async () => {
    const createContainer = vi.fn<() => object>(() => ({}));
    const bench = await start({ methods: { createContainer } });
    const { agent } = await clients(bench);
    await expect(agent.createContainer({ containerId: "c1" })).rejects.toMatchObject({
      code: 3,
      rawMessage: "CreateContainer has no OCI spec",
    });
    expect(createContainer).not.toHaveBeenCalled();
  });

  it("CreateContainer without Linux part, and with one that does not decode", async () => {
    const seen: CreateContainerRequest[] = [];
    const bench = await start({
      methods: {
        createContainer: (request) => {
          seen.push(request);
          return {};
        },
      },
    });
    const { agent } = await clients(bench);
    await agent.createContainer({ OCI: {} });
    expect(seen[0]?.OCI?.Linux?.Namespaces).toHaveLength(1);
  });

  it("CreateSandbox keeps the VM's own resolv.conf", async () => {
    const seen: CreateSandboxRequest[] = [];
    const bench = await start({
      methods: {
        createSandbox: (request) => {
          seen.push(request);
          return {};
        },
      },
    });
    const { agent } = await clients(bench);
    await agent.createSandbox({ hostname: "pod", dns: ["nameserver 10.96.0.10"], sandboxId: "sb" });
    expect(seen[0]).toMatchObject({ hostname: "pod", dns: [], sandboxId: "sb" });
  });

  it("DestroySandbox succeeds when the agent ends instead of answering", async () => {
    const bench = await start({
      methods: {
        destroySandbox: async () => {
          await bench.agent[Symbol.asyncDispose]();
          return {};
        },
      },
    });
    const { agent } = await clients(bench);
    expect(await agent.destroySandbox({})).toBeDefined();
  });

  it("names the volume and the reason when a cloud volume cannot be had", async () => {
    const bench = await start();
    const { agent } = await clients(bench);
    const annotation = "io.confidentialcontainers.org.cloud_volumes";
    const create = (text: string) => agent.createContainer({ OCI: { Annotations: { [annotation]: text } } });
    await expect(create("{")).rejects.toMatchObject({
      code: 3,
      rawMessage: expect.stringMatching(/^corrupt cloud_volumes annotation/),
    });
    await expect(create('{"../x": {"mount_point": "/data", "lun": "0"}}')).rejects.toMatchObject({
      rawMessage: 'cloud volume "../x": unsafe name',
    });
    await expect(create('{"v": {"mount_point": "/data", "lun": "0"}}')).rejects.toMatchObject({
      rawMessage: expect.stringMatching(/no disks/),
    });
  });
});

describe("the agent's socket", () => {
  it("stays reachable after CreateSandbox has deleted its path", async () => {
    const bench = await start();
    const first = await clients(bench);
    await first.health.check({});
    await rm(bench.agentPath);
    const second = await clients(bench);
    await second.health.check({});
    await first.health.check({});
  });

  it("is dialled again when the agent was started anew, by the next call", async () => {
    const bench = await start();
    const { health, agent } = await clients(bench);
    await health.check({});
    const waiting = agent.waitProcess({});
    await vi.waitFor(() => expect(bench.agent.running.size).toBe(1));
    const lost = waiting.catch((error: unknown) => error);
    await bench.restartAgent();
    expect(await lost).toMatchObject({ code: 14, rawMessage: "kata-agent closed the connection" });
    await health.check({});
    expect(bench.agent.calls).toHaveLength(1);
  });

  it("may appear after the first call", async () => {
    const bench = await start({ withoutAgent: true });
    const { health } = await clients(bench);
    const call = health.check({});
    await bench.restartAgent();
    expect((await call).status).toBe(1);
  });

  it("is given up after a time, with an answer, and tried again by the next call", async () => {
    const bench = await start({ withoutAgent: true, limits: { agentDialTimeoutMs: 30 } });
    const { health } = await clients(bench);
    await expect(health.check({})).rejects.toMatchObject({
      code: 14,
      rawMessage: `kata-agent cannot be reached at ${bench.agentPath}`,
    });
    await bench.restartAgent();
    expect((await health.check({})).status).toBe(1);
  });
});

describe("clients that go and come", () => {
  it("leave no call behind at the agent", async () => {
    const bench = await start();
    const first = await clients(bench);
    const calls = [first.agent.readStdout({}), first.agent.waitProcess({})];
    const lost = Promise.allSettled(calls);
    await vi.waitFor(() => expect(bench.agent.running.size).toBe(2));
    first.connection.close();
    await lost;
    await vi.waitFor(() => expect(bench.agent.running.size).toBe(0));
    const second = await clients(bench);
    await second.health.check({});
    await vi.waitFor(() => expect(bench.forwarder.clients).toBe(1));
  });

  it("are succeeded by the connection that asks for the pod's events next", async () => {
    const bench = await start();
    const first = await clients(bench);
    const onlooker = await clients(bench);
    const events = first.agent.getOOMEvent({}).catch((error: unknown) => error);
    await onlooker.health.check({});
    await vi.waitFor(() => expect(bench.agent.running.has("GetOOMEvent")).toBe(true));
    const second = await clients(bench);
    const again = second.agent.getOOMEvent({}).catch((error: unknown) => error);
    await first.connection.closed;
    expect(await events).toMatchObject({ code: 14 });
    await onlooker.health.check({});
    await second.health.check({});
    second.connection.close();
    await again;
  });
});

describe("hostile frames from a client with the right certificate", () => {
  it.each([
    ["for an unknown stream", 7],
    ["for the stream of a call in flight", 1],
  ])("a Data frame %s is answered and harms nobody", async (_what, streamId) => {
    const bench = await start();
    const socket = await bench.dial();
    const answers: string[] = [];
    const decoder = new FrameDecoder({
      onFrame: ({ streamId: id, body }) => answers.push(`${id} ${decodeResponse(body).status?.message}`),
      onOversize: () => undefined,
    });
    socket.on("data", (chunk: Buffer) => decoder.push(chunk));
    const wait = Buffer.concat([
      Buffer.from([10, 17]),
      Buffer.from("grpc.AgentService"),
      Buffer.from([18, 11]),
      Buffer.from("WaitProcess"),
    ]);
    socket.write(encodeFrame({ streamId: 1, type: MessageType.Request }, wait));
    await vi.waitFor(() => expect(bench.agent.running.size).toBe(1));
    socket.write(encodeFrame({ streamId, type: MessageType.Data }, Buffer.alloc(0)));
    await vi.waitFor(() => expect(answers).toEqual([`${streamId} StreamID is no longer active`]));
    const { health } = await clients(bench);
    await health.check({});
    expect(bench.agent.running.size).toBe(1);
  });

  it("half a frame ends that connection at its deadline", async () => {
    const bench = await start({ limits: { frameTimeoutMs: 30 } });
    const { health } = await clients(bench);
    await health.check({});
    const socket = await bench.dial();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined);
    socket.write(Buffer.from([0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 9]));
    await closed;
    await health.check({});
  });
});
