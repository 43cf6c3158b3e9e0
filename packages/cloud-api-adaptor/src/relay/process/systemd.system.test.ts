import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { silentLogger } from "@peerpods/cloud-providers";
import { dialTtrpc } from "@peerpods/ttrpc";
import { execa } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import { Relay } from "../../gen/peerpods/relay/v1/relay_pb.ts";
import { ensureRelay } from "./ensure-relay.ts";
import { chooseLauncher, RELAY_UNIT } from "./launch.ts";
import { relayCommandBeside } from "./relay-command.ts";

const isBooted = await access("/run/systemd/system").then(
  () => true,
  () => false,
);
const isRoot = process.getuid?.() === 0;
const why = isBooted ? "as root" : "needs a machine that systemd has booted";

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "agent-relay-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function start(dir: string, command?: readonly string[]) {
  const [node = "", heap = "", ...rest] = relayCommandBeside(new URL("../../main.ts", import.meta.url).href);
  const source = [node, heap, "--conditions=@peerpods/source", rest.at(-1) ?? ""];
  const socketPath = join(dir, "relay.sock");
  const launcher = await chooseLauncher(join(dir, "relay.log"));
  const options = { socketPath, command: command ?? source, launcher, logger: silentLogger };
  await ensureRelay(options, { signal: AbortSignal.timeout(30_000) });
  await using connection = await dialTtrpc({ path: socketPath });
  const { pid } = await createClient(Relay, connection.transport).hello({});
  return { pid, unit: await unitOf(pid) };
}

/** The unit that a process runs in, from its cgroup. */
async function unitOf(pid: number): Promise<string> {
  const cgroup = await readFile(`/proc/${pid}/cgroup`, "utf8");
  return /\/([^/\n]+)\.service$/m.exec(cgroup)?.[1] ?? "none";
}

const systemctl = (...args: string[]) => execa("systemctl", args, { reject: false });

describe.skipIf(!isBooted || !isRoot)(`the relay under systemd (${why})`, () => {
  it("is one for any number of starters, in a transient unit of its own that is collected when it ends", async () => {
    const dir = await directory();
    const [{ pid, unit }, ...others] = await Promise.all([start(dir), start(dir), start(dir)]);
    expect(others.map((relay) => relay.pid)).toEqual([pid, pid]);
    expect(unit).toMatch(new RegExp(`^${RELAY_UNIT}-[0-9a-f]{8}$`));
    expect(await unitOf(process.pid)).not.toBe(unit);
    process.kill(pid, "SIGTERM");
    await expect
      .poll(async () => (await systemctl("list-units", "--all", "--plain", `${RELAY_UNIT}*`)).stdout, {
        timeout: 20_000,
      })
      .not.toContain(unit);
  });

  it("stands beside that of another daemon", async () => {
    const [one, other] = await Promise.all([start(await directory()), start(await directory())]);
    onTestFinished(async () => void (await systemctl("stop", one.unit, other.unit)));
    expect(one.unit).not.toBe(other.unit);
  });

  it("outlives the unit of the daemon that started it", async () => {
    const dir = await directory();
    const daemon = `peerpods-test-daemon-${process.pid}`;
    const program = `
      import { chooseLauncher } from ${JSON.stringify(new URL("launch.ts", import.meta.url).href)};
      const launcher = await chooseLauncher("/dev/null");
      await launcher.launch(["sleep", "600"], { signal: new AbortController().signal });
      setInterval(() => undefined, 1_000);`;
    const before = await relayUnits();
    const node = [
      process.execPath,
      "--conditions=@peerpods/source",
      "--input-type=module",
      "--eval",
      program,
    ];
    await execa("systemd-run", [`--unit=${daemon}`, "--collect", "--", ...node], { cwd: dir });
    onTestFinished(async () => void (await systemctl("stop", daemon)));
    await expect
      .poll(async () => (await relayUnits()).filter((unit) => !before.includes(unit)), { timeout: 20_000 })
      .toHaveLength(1);
    const [relay = ""] = (await relayUnits()).filter((unit) => !before.includes(unit));
    onTestFinished(async () => void (await systemctl("stop", relay)));
    await systemctl("kill", "--signal=SIGKILL", daemon);
    await systemctl("stop", daemon);
    expect((await systemctl("is-active", relay)).stdout).toBe("active");
  });

  it("says why it did not start", async () => {
    await expect(start(await directory(), ["sh", "-c", "exit 3"])).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/did not start: unit peerpods-agent-relay-\w+: .*journalctl --unit/s),
    });
  });
});

async function relayUnits(): Promise<readonly string[]> {
  const args = ["list-units", "--plain", "--no-legend", "--state=active", `${RELAY_UNIT}-*`];
  const { stdout } = await systemctl(...args);
  return stdout.split("\n").flatMap((line) => line.split(/\s+/)[0] || []);
}
