import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { silentLogger } from "@peerpods/cloud-providers";
import { dialTtrpc } from "@peerpods/ttrpc";
import { describe, expect, it, onTestFinished } from "vitest";
import { Relay } from "../../gen/peerpods/relay/v1/relay_pb.ts";
import type { RelayOpenRequest } from "../../sandbox/relay-port.ts";
import { createRelayClient } from "../control/client.ts";
import { AgentVm } from "../testing/agent-vm.ts";
import { dialShim } from "../testing/fixture.ts";
import { makeTestTls } from "../testing/tls.ts";
import { ensureRelay } from "./ensure-relay.ts";
import { awaitedLauncher, detachedLauncher, RELAY_UNIT } from "./launch.ts";
import { relayCommandBeside } from "./relay-command.ts";

const never = { signal: new AbortController().signal };
const sourceConditions = ["--conditions=@peerpods/source"];

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "agent-relay-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Its process id; the process is ended when the test is. */
async function pidOf(socketPath: string): Promise<number> {
  await using connection = await dialTtrpc({ path: socketPath });
  const { pid } = await createClient(Relay, connection.transport).hello({});
  return pid;
}

async function gone(pid: number): Promise<void> {
  await expect
    .poll(
      () =>
        access(`/proc/${pid}`).then(
          () => true,
          () => false,
        ),
      { timeout: 10_000 },
    )
    .toBe(false);
}

function endLater(pid: number): void {
  onTestFinished(async () => {
    if (
      await access(`/proc/${pid}`).then(
        () => true,
        () => false,
      )
    )
      process.kill(pid, "SIGTERM");
    await gone(pid);
  });
}

function start(socketPath: string) {
  const [node = "", heap = "", ...rest] = relayCommandBeside(new URL("../../main.ts", import.meta.url).href);
  return ensureRelay(
    {
      socketPath,
      // The test runner's own arguments are not the relay's.
      command: [node, heap, ...sourceConditions, rest.at(-1) ?? ""],
      launcher: detachedLauncher(`${socketPath}.log`),
      logger: silentLogger,
    },
    { signal: AbortSignal.timeout(20_000) },
  );
}

describe("the relay process", () => {
  it("is one for any number of starters, in a session and cgroup of its own, and ends cleanly", async () => {
    const socketPath = join(await directory(), "relay.sock");
    const relays = await Promise.all([start(socketPath), start(socketPath), start(socketPath)]);
    const pid = await pidOf(socketPath);
    endLater(pid);
    const hellos = await Promise.all(relays.map((relay) => relay.hello(never)));
    expect(new Set(hellos.map(({ version }) => version)).size).toBe(1);
    const commandLines = await relayProcesses(socketPath);
    expect(commandLines).toHaveLength(1);
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);

    const status = await readFile(`/proc/${pid}/stat`, "utf8");
    const session = Number(status.slice(status.lastIndexOf(")") + 2).split(" ")[3]);
    expect(session).toBe(pid);
    expect(await readFile(`/proc/${pid}/cgroup`, "utf8")).toContain(`/${RELAY_UNIT}`);

    process.kill(pid, "SIGTERM");
    await gone(pid);
    await expect(access(socketPath)).rejects.toThrow("ENOENT");
    await expect(access(`${socketPath}.lock`)).rejects.toThrow("ENOENT");
  });

  it("outlives the killed daemon with calls in flight, and the next daemon adopts it", async () => {
    const dir = await directory();
    const socketPath = join(dir, "relay.sock");
    const tls = await makeTestTls();
    await using vm = await AgentVm.start(tls.server);
    const request: RelayOpenRequest = {
      sandboxId: "sb1",
      socketPath: join(dir, "agent.ttrpc"),
      target: vm.target,
      tls: tls.relay,
      dialTimeoutMs: 5_000,
    };
    const program = fileURLToPath(new URL("../testing/start-and-wait.ts", import.meta.url));
    const daemon = spawn(
      process.execPath,
      [...sourceConditions, program, socketPath, JSON.stringify(request)],
      { stdio: ["ignore", "pipe", "inherit"], detached: true },
    );
    onTestFinished(() => void daemon.kill("SIGKILL"));
    await once(daemon.stdout, "data");
    const pid = await pidOf(socketPath);
    endLater(pid);

    await using shim = await dialShim(request.socketPath);
    const exit = shim.agent.waitProcess({ containerId: "c", execId: "c" });
    await vm.called("WaitProcess");
    // The whole process group, as a service manager would.
    process.kill(-(daemon.pid ?? 0), "SIGKILL");
    await once(daemon, "exit");

    const adopted = await start(socketPath);
    expect(await pidOf(socketPath)).toBe(pid);
    expect(await adopted.list(never)).toEqual([
      expect.objectContaining({ sandboxId: "sb1", state: "connected", shim: "connected" }),
    ]);
    await expect(shim.health.check({})).resolves.toMatchObject({ status: 1 });
    vm.exit.resolve(3);
    await expect(exit).resolves.toMatchObject({ status: 3 });
    await adopted.close("sb1", never);
    await shim.closed;
    expect(await readdir(dir)).not.toContain("agent.ttrpc");
  });

  it("takes the place of one that was killed, whose socket files are still there", async () => {
    const dir = await directory();
    const socketPath = join(dir, "relay.sock");
    await using vm = await AgentVm.start();
    const request: RelayOpenRequest = {
      sandboxId: "sb1",
      socketPath: join(dir, "agent.ttrpc"),
      target: vm.target,
      dialTimeoutMs: 5_000,
    };
    await (await start(socketPath)).open(request, never);
    const first = await pidOf(socketPath);
    process.kill(first, "SIGKILL");
    await gone(first);
    await expect(createRelayClient({ socketPath }).list(never)).rejects.toMatchObject({
      code: "unavailable",
    });

    const relay = await start(socketPath);
    endLater(await pidOf(socketPath));
    expect(await relay.list(never)).toEqual([]);
    await relay.open(request, never);
    await using shim = await dialShim(request.socketPath);
    await expect(shim.health.check({})).resolves.toMatchObject({ status: 1 });
  });

  it("is waited for where somebody else starts it", async () => {
    const socketPath = join(await directory(), "relay.sock");
    const waiting = ensureRelay(
      { socketPath, command: ["false"], launcher: awaitedLauncher(silentLogger), logger: silentLogger },
      { signal: AbortSignal.timeout(20_000) },
    );
    await start(socketPath);
    const pid = await pidOf(socketPath);
    endLater(pid);
    const relay = await waiting;
    expect(await relay.list(never)).toEqual([]);
    const late = ensureRelay(
      {
        socketPath: `${socketPath}.none`,
        command: ["false"],
        launcher: awaitedLauncher(silentLogger),
        logger: silentLogger,
      },
      { signal: AbortSignal.timeout(200) },
    );
    await expect(late).rejects.toThrow(/timeout/);
  });

  it("says why it cannot start", async () => {
    const socketPath = join(await directory(), "relay.sock");
    const starting = ensureRelay(
      {
        socketPath,
        command: ["sh", "-c", "exit 3"],
        launcher: detachedLauncher(`${socketPath}.log`),
        logger: silentLogger,
      },
      { signal: AbortSignal.timeout(20_000) },
    );
    await expect(starting).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("status 3, see"),
    });
  });
});

async function relayProcesses(socketPath: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.filter((line) => line.includes("agent-relay.") && line.includes(socketPath));
}
