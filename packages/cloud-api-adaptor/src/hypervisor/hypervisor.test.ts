import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { ProviderError, silentLogger } from "@peerpods/cloud-providers";
import { Hypervisor } from "@peerpods/kata-protocols/hypervisor";
import { PodVMInfo } from "@peerpods/kata-protocols/podvminfo";
import { createTtrpcServer, dialTtrpc, encodeFrame, MessageType } from "@peerpods/ttrpc";
import type { TtrpcServer } from "@peerpods/ttrpc";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Lifecycle } from "../sandbox/lifecycle.ts";
import { settle } from "../sandbox/testing/settle.ts";
import { netnsPath, sandboxId, World } from "../sandbox/testing/world.ts";
import { hypervisorRoutes } from "./routes.ts";

let world: World;
let lifecycle: Lifecycle;
let server: TtrpcServer;
let dir: string;
let path: string;

const annotations: Record<string, string> = {
  "io.kubernetes.cri.sandbox-name": "web",
  "io.kubernetes.cri.sandbox-namespace": "default",
};
const createVM = { id: sandboxId, annotations, networkNamespacePath: netnsPath };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "peerpods-hypervisor-"));
  path = join(dir, "hypervisor.sock");
  world = new World();
  lifecycle = await world.daemon();
  server = createTtrpcServer(
    hypervisorRoutes(lifecycle, {
      podsDir: "/run/peerpod/pods",
      multiNic: false,
      logger: silentLogger,
    }),
  );
  await server.listen({ path });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

/** One call on a fresh connection, as the shim makes them. */
async function call<T>(act: (client: Client<typeof Hypervisor>) => Promise<T>): Promise<T> {
  await using connection = await dialTtrpc({ path }, { signal: AbortSignal.timeout(5_000) });
  return await act(createClient(Hypervisor, connection.transport));
}

async function failure(act: (client: Client<typeof Hypervisor>) => Promise<unknown>): Promise<ConnectError> {
  const error: unknown = await call(act).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

describe("the hypervisor service", () => {
  it("serves a pod's life as the shim calls it", async () => {
    const { agentSocketPath } = await call((client) =>
      client.createVM(createVM, { headers: { "containerd-namespace-ttrpc": "k8s.io" } }),
    );
    expect(agentSocketPath).toBe(`/run/peerpod/pods/${sandboxId}/agent.ttrpc`);
    await call((client) => client.startVM({ id: sandboxId }, { timeoutMs: 600_000 }));
    expect(world.relay.carried).toEqual([sandboxId]);
    expect(world.cloud.requests).toHaveLength(1);
    await call((client) => client.stopVM({ id: sandboxId }));
    await settle();
    expect(world.leftovers()).toEqual({});
  });

  it("answers the version the field expects", async () => {
    expect(await call((client) => client.version({ version: "1" }))).toMatchObject({ version: "0.0.0" });
  });

  it.each<[string, Partial<typeof createVM>, Code, string]>([
    ["an empty id", { id: "" }, Code.InvalidArgument, "empty sandbox id"],
    ["an id that leads elsewhere", { id: "../../evil" }, Code.InvalidArgument, "not allowed"],
    ["an id with NUL", { id: "a\0b" }, Code.InvalidArgument, "not allowed"],
    ["an id too long for a socket path", { id: "a".repeat(200) }, Code.InvalidArgument, "at most"],
    ["no annotations", { annotations: {} }, Code.InvalidArgument, "io.kubernetes.cri.sandbox-name"],
    [
      "a number that is none",
      { annotations: { ...annotations, "io.katacontainers.config.hypervisor.default_vcpus": "abc" } },
      Code.InvalidArgument,
      "default_vcpus",
    ],
    [
      "initdata that is no TOML",
      { annotations: { ...annotations, "io.katacontainers.config.hypervisor.cc_init_data": "{CANARY" } },
      Code.InvalidArgument,
      "initdata",
    ],
    [
      "a namespace that does not exist",
      { networkNamespacePath: "/run/netns/none" },
      Code.FailedPrecondition,
      "/run/netns/none",
    ],
    ["no namespace", { networkNamespacePath: "" }, Code.InvalidArgument, "networkNamespacePath"],
    ["a relative namespace", { networkNamespacePath: "netns" }, Code.InvalidArgument, "absolute"],
  ])("refuses CreateVM with %s and leaves nothing", async (_what, change, code, text) => {
    const error = await failure((client) => client.createVM({ ...createVM, ...change }));
    expect(error.code).toBe(code);
    expect(error.rawMessage).toContain(text);
    expect(error.rawMessage).not.toContain("CANARY");
    expect(error.rawMessage).not.toContain("\n");
    expect(world.leftovers()).toEqual({});
  });

  it("refuses a duplicate id and keeps the first", async () => {
    await call((client) => client.createVM(createVM));
    const error = await failure((client) => client.createVM(createVM));
    expect(error.code).toBe(Code.AlreadyExists);
    await call((client) => client.startVM({ id: sandboxId }));
  });

  it.each(["startVM", "stopVM"] as const)(
    "says of an unknown id that it does not exist: %s",
    async (method) => {
      const error = await failure((client) => client[method]({ id: "nope" }));
      expect(error.code).toBe(Code.NotFound);
      expect(error.rawMessage).toBe("sandbox nope does not exist");
    },
  );

  it("tells the cloud's reason when a VM cannot be made", async () => {
    await call((client) => client.createVM(createVM));
    world.cloud.full.add("z1");
    const error = await failure((client) => client.startVM({ id: sandboxId }));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toContain(`no instance for sandbox ${sandboxId}: no capacity`);
    expect(error.rawMessage).toContain("no machine in z1");
    await settle();
    expect(world.leftovers()).toEqual({});
  });

  it("answers StartVM twice from one attempt", async () => {
    await call((client) => client.createVM(createVM));
    await Promise.all([
      call((client) => client.startVM({ id: sandboxId })),
      call((client) => client.startVM({ id: sandboxId })),
    ]);
    expect(world.cloud.peak).toBe(1);
  });
});

describe("a caller that does not wait", () => {
  /** A cloud that only ever answers an abort. */
  const stall = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.cloud.before = async (call, { signal }) => {
      if (call !== "create") return;
      resolve();
      await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    };
    return promise;
  };

  it("ends StartVM by closing its connection; all is undone", async () => {
    await call((client) => client.createVM(createVM));
    const creating = stall();
    const connection = await dialTtrpc({ path }, { signal: AbortSignal.timeout(5_000) });
    const start = createClient(Hypervisor, connection.transport)
      .startVM({ id: sandboxId })
      .catch((error: unknown) => error);
    await creating;
    connection.close();
    expect(await start).toBeInstanceOf(ConnectError);
    await expect.poll(() => lifecycle.list()).toEqual([]);
    expect(world.leftovers()).toEqual({});
  });

  it("ends StartVM by its deadline; all is undone", async () => {
    await call((client) => client.createVM(createVM));
    void stall();
    const error = await failure((client) => client.startVM({ id: sandboxId }, { timeoutMs: 50 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    await expect.poll(() => lifecycle.list()).toEqual([]);
    expect(world.leftovers()).toEqual({});
  });

  it("still gets its VM removed after a StopVM it did not wait for", async () => {
    await call((client) => client.createVM(createVM));
    await call((client) => client.startVM({ id: sandboxId }));
    const { promise, resolve } = Promise.withResolvers<void>();
    world.relay.before = async (call) => {
      if (call === "close") await promise;
    };
    const error = await failure((client) => client.stopVM({ id: sandboxId }, { timeoutMs: 50 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    resolve();
    await expect.poll(() => lifecycle.list()).toEqual([]);
    expect(world.leftovers()).toEqual({});
  });
});

describe("PodVMInfo", () => {
  const getInfo = async (wait: boolean, timeoutMs = 5_000) => {
    await using connection = await dialTtrpc({ path }, { signal: AbortSignal.timeout(5_000) });
    const client = createClient(PodVMInfo, connection.transport);
    return await client.getInfo({ PodName: "web", PodNamespace: "default", Wait: wait }, { timeoutMs });
  };

  it("knows the instance of a running pod", async () => {
    await call((client) => client.createVM(createVM));
    await expect(getInfo(false)).rejects.toMatchObject({
      code: Code.NotFound,
      rawMessage: "VM ID for default:web was not found",
    });
    await call((client) => client.startVM({ id: sandboxId }));
    expect(await getInfo(false)).toMatchObject({ VMID: lifecycle.list()[0]!.record.instance!.id });
  });

  it("waits for it when asked to, through the whole of CreateVM and StartVM", async () => {
    const info = getInfo(true);
    await call((client) => client.createVM(createVM));
    await call((client) => client.startVM({ id: sandboxId }));
    expect(await info).toMatchObject({ VMID: lifecycle.list()[0]!.record.instance!.id });
  });

  it("waits no longer than the caller's deadline", async () => {
    await expect(getInfo(true, 50)).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  });
});

describe("a stranger on the socket", () => {
  it.each<[string, Uint8Array]>([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")],
    ["garbage", Buffer.alloc(4096, 0xa5)],
    [
      "half a frame",
      encodeFrame({ streamId: 1, type: MessageType.Request, flags: 0 }, Buffer.alloc(64)).subarray(0, 20),
    ],
    ["a data frame for no stream", Buffer.from([0, 0, 0, 0, 0, 0, 0, 7, 3, 0])],
    ["an unknown message type", Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 9, 0])],
  ])("that sends %s takes nobody else down", async (_what, bytes) => {
    const stranger = connect({ path });
    stranger.on("error", () => undefined);
    await new Promise<void>((resolve) => stranger.write(bytes, () => resolve()));
    try {
      await call((client) => client.createVM(createVM));
      await call((client) => client.startVM({ id: sandboxId }));
      expect(world.relay.carried).toEqual([sandboxId]);
    } finally {
      stranger.destroy();
    }
  });
});

it("does not tell a provider's failure as its own", async () => {
  await call((client) => client.createVM(createVM));
  world.cloud.before = async () => {
    throw new ProviderError("unauthorized", "credentials have expired");
  };
  const error = await failure((client) => client.startVM({ id: sandboxId }));
  expect(error).toMatchObject({
    code: Code.Unknown,
    rawMessage: expect.stringContaining("credentials have expired"),
  });
});
