import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { agentAnswers, Machine, missingHere } from "./testing/machine.ts";

const id = "0123456789abcdef".repeat(4);
const missing = await missingHere();
const where = missing === undefined ? "with real pod VMs of the local provider" : `(skipped: ${missing})`;

let machine: Machine;
let subnet = 10;

beforeEach(async () => {
  subnet += 1;
  machine = await Machine.create(subnet);
});

afterEach(async () => {
  await machine[Symbol.asyncDispose]();
});

const gone = { timeout: 60_000, interval: 50 };

describe.skipIf(missing !== undefined)(`the daemon ${where}`, () => {
  it("killed with -9 is followed by one that goes on, while the agent connection never breaks", async () => {
    const first = await machine.daemon();
    await machine.createVM(id);
    await machine.startVM(id);
    await using agent = await machine.agent(id);
    expect(await agentAnswers(agent)).toBe(true);
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    expect(await agentAnswers(agent)).toBe(true);

    const second = await machine.daemon();
    expect(second.output).toContain(`"adopted":["${id}"]`);
    expect(await agentAnswers(agent)).toBe(true);
    await machine.hypervisor((client) => client.stopVM({ id }));
    await expect(agentAnswers(agent)).rejects.toMatchObject({ code: Code.Unavailable });
    await expect.poll(() => machine.leftovers(), gone).toEqual([]);
    expect(await second.end("SIGTERM")).toBe(0);
    expect(await machine.relayPid()).toBeDefined();
  });

  it("killed with -9 in the middle of StartVM leaves nothing that the next does not remove", async () => {
    const first = await machine.daemon("-log-level=debug");
    await machine.createVM(id);
    const start = machine.startVM(id).catch((error: { code?: Code }) => error.code);
    await expect.poll(() => machine.leftovers(), gone).toContainEqual(expect.stringContaining("instances/"));
    await first.end("SIGKILL");
    expect(await start).toBe(Code.Unavailable);
    const second = await machine.daemon();
    expect(second.output).toContain('"ending":[');
    await expect.poll(() => machine.leftovers(), gone).toEqual([]);
    await machine.createVM(id);
    await machine.startVM(id);
  });

  it("reaps the VM of a shim that was killed", async () => {
    const daemon = await machine.daemon("-reap-grace=1s");
    await machine.createVM(id);
    await machine.startVM(id);
    const agent = await machine.agent(id);
    expect(await agentAnswers(agent)).toBe(true);
    agent.close();
    await daemon.says("StopVM did not come");
    await expect.poll(() => machine.leftovers(), gone).toEqual([]);
  });

  it("brings the agent relay back, and removes the pods that died with it", async () => {
    const daemon = await machine.daemon("-reap-grace=1s");
    await machine.createVM(id);
    await machine.startVM(id);
    const before = await machine.relayPid();
    process.kill(before!, "SIGKILL");
    await daemon.says("no longer carries it");
    await expect.poll(() => machine.leftovers(), gone).toEqual([]);
    expect(await machine.relayPid()).not.toBe(before);
    await machine.createVM("next");
    await machine.startVM("next");
    await using agent = await machine.agent("next");
    expect(await agentAnswers(agent)).toBe(true);
  });

  it("told to end keeps its pods, and undoes a start that is under way", async () => {
    const daemon = await machine.daemon();
    await machine.createVM("kept");
    await machine.startVM("kept");
    await using agent = await machine.agent("kept");
    expect(await daemon.end("SIGTERM")).toBe(0);
    expect(await agentAnswers(agent)).toBe(true);
    const next = await machine.daemon();
    await machine.hypervisor((client) => client.stopVM({ id: "kept" }));
    await expect.poll(() => machine.leftovers(), gone).toEqual([]);

    await machine.createVM(id);
    const start = machine.startVM(id).catch((error: unknown) => error);
    await expect.poll(() => machine.leftovers(), gone).toContainEqual(expect.stringContaining("instances/"));
    expect(await next.end("SIGTERM")).toBe(0);
    expect(await start).toBeInstanceOf(Error);
    expect(await machine.leftovers()).toEqual([]);
  });

  it("refuses a pod network that is not there, in the words of the cause", async () => {
    await machine.daemon();
    await expect(
      machine.hypervisor((client) =>
        client.createVM({
          id,
          networkNamespacePath: "/run/netns/peerpods-none",
          annotations: {
            "io.kubernetes.cri.sandbox-name": "web",
            "io.kubernetes.cri.sandbox-namespace": "default",
          },
        }),
      ),
    ).rejects.toMatchObject({
      code: Code.FailedPrecondition,
      rawMessage: expect.stringContaining("/run/netns/peerpods-none"),
    });
    expect(await machine.leftovers()).toEqual([]);
  });
});
