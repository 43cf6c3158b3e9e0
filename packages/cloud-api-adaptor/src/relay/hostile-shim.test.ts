import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { createClient } from "@connectrpc/connect";
import { AgentService } from "@peerpods/kata-protocols/agent";
import { connectTtrpc, encodeFrame, MessageType } from "@peerpods/ttrpc";
import { describe, expect, it, onTestFinished } from "vitest";
import { dialShim, startFixture } from "./testing/fixture.ts";

const never = { signal: new AbortController().signal };

async function opened() {
  const fixture = await startFixture();
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  const hostile = fixture.request("hostile");
  const bystander = fixture.request("bystander");
  await Promise.all([fixture.table.open(hostile, never), fixture.table.open(bystander, never)]);
  const shim = await dialShim(bystander.socketPath);
  onTestFinished(() => shim[Symbol.asyncDispose]());
  return { ...fixture, hostile, shim };
}

async function attacker(path: string): Promise<Socket> {
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

const header = (length: number, streamId: number, type: number): Buffer => {
  const bytes = Buffer.alloc(10);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt32BE(streamId, 4);
  bytes.writeUInt8(type, 8);
  return bytes;
};

describe("a hostile client of an agent socket disturbs nobody else", () => {
  it.each<[string, Buffer, "answered" | "silent"]>([
    [
      "a data frame for a stream that does not exist, which ends the reference daemon",
      header(0, 7, 3),
      "answered",
    ],
    ["an even stream id", header(0, 2, 1), "answered"],
    [
      "a request that is no envelope",
      encodeFrame({ streamId: 1, type: 1 }, Buffer.from([255, 255])),
      "answered",
    ],
    ["a frame above the limit", Buffer.concat([header(5 << 20, 1, 1), Buffer.alloc(5 << 20)]), "answered"],
    ["an unknown frame type", header(0, 1, 9), "silent"],
    ["half a header", header(0, 1, 1).subarray(0, 5), "silent"],
    ["half a frame", Buffer.concat([header(100, 1, 1), Buffer.alloc(50)]), "silent"],
    ["text of another protocol", Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n"), "silent"],
  ])("%s", async (_name, bytes, expected) => {
    const { hostile, shim, table, vm } = await opened();
    const socket = await attacker(hostile.socketPath);
    const firstType = once(socket, "data").then(([chunk]: Buffer[]) => chunk?.readUInt8(8));
    socket.write(bytes);
    const type = expected === "answered" ? await firstType : undefined;
    expect(type).toBe(expected === "answered" ? MessageType.Response : undefined);
    await expect(shim.health.check({})).resolves.toMatchObject({ status: 1 });
    // The bystander's check is all that reached the VM.
    expect(vm.calls).toEqual(["Check"]);
    expect(table.size).toBe(2);
  });

  it("a data frame on the stream of a call in flight", async () => {
    const { hostile, shim, vm } = await opened();
    const socket = await attacker(hostile.socketPath);
    const client = connectTtrpc(socket);
    const wait = createClient(AgentService, client.transport).waitProcess({ containerId: "c" });
    const outcome = wait.then(
      () => "answered",
      () => "failed",
    );
    await vm.called("WaitProcess");
    socket.write(header(0, 1, 3));
    await expect(shim.health.check({})).resolves.toMatchObject({ status: 1 });
    vm.exit.resolve(0);
    await expect(outcome).resolves.toMatch(/answered|failed/);
  });

  it("a reader that does not read makes the VM wait, not the relay remember", async () => {
    const { hostile, shim, vm, table } = await opened();
    vm.metrics = "m".repeat(1 << 20);
    const socket = await attacker(hostile.socketPath);
    const client = connectTtrpc(socket);
    const agent = createClient(AgentService, client.transport);
    socket.pause();
    const calls = Array.from({ length: 64 }, () => agent.getMetrics({}));
    const all = Promise.all(calls);
    await vm.called("GetMetrics", 64);
    const received = async (): Promise<number> =>
      (await table.list(never)).find(({ sandboxId }) => sandboxId === "hostile")?.bytes.toShim ?? 0;
    // Standing still, far below the 64 MiB that wait in the VM.
    let before = -1;
    await expect
      .poll(
        async () => {
          const now = await received();
          const still = now === before;
          before = now;
          return still;
        },
        { interval: 100, timeout: 4_000 },
      )
      .toBe(true);
    expect(before).toBeLessThan(8 << 20);
    await expect(shim.health.check({})).resolves.toMatchObject({ status: 1 });
    socket.resume();
    expect((await all).every(({ metrics }) => metrics.length === 1 << 20)).toBe(true);
    client.close();
  });
});
