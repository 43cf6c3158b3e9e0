import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { until } from "@peerpods/test-harness";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildBusyboxImage } from "./stage/image.ts";
import { createWorkerNode, type WorkerNode } from "./stage/worker-node.ts";

const isRoot = process.geteuid?.() === 0;
const id = randomBytes(2).toString("hex");
const image = "localhost/tool";
/** How a terminal is given back: cursor shown, first screen. */
const LEAVE = "\u001b[?25h\u001b[?1049l";
const CANARY = "canary-9d1f-not-for-anybody";

interface TimelineStamp {
  readonly name: string;
  readonly by: string;
  readonly atMs: number;
}

describe.skipIf(!isRoot)("the tool against a daemon (needs root)", () => {
  const stack = new AsyncDisposableStack();
  let directory: string;
  let node: WorkerNode;
  let stop: () => Promise<void>;

  const startDaemon = async (flags: readonly string[] = []): Promise<void> => {
    const daemon = await node.startDaemon(flags);
    stop = () => daemon.stop();
  };
  const run = (args: readonly string[], options: Parameters<WorkerNode["peerpods"]>[1] = {}) =>
    node.peerpods(["run", "--no-timeline", image, "--", ...args], options);

  beforeAll(async () => {
    directory = await mkdtemp("/tmp/pptool-");
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    await buildBusyboxImage(join(directory, "images"), image);
    node = stack.use(
      await createWorkerNode({
        directory: join(directory, "node"),
        imageDirectory: join(directory, "images"),
        bridge: `ppt${id}`,
        subnet: "10.213.78.0/24",
      }),
    );
    await startDaemon();
  });
  afterAll(() => stack.disposeAsync());

  it("passes output and exit code of a container on", async () => {
    const { exitCode, stdout, stderr } = await run(["sh", "-c", "echo out; echo err >&2; exit 7"]);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 7, stdout: "out", stderr: "err" });
  });

  it("passes standard input on, to its end", async () => {
    const { exitCode, stdout } = await node.peerpods(
      ["run", "--no-timeline", "-i", image, "--", "sh", "-c", "tr a-z A-Z"],
      { input: "from outside" },
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "FROM OUTSIDE" });
  });

  it("gives a container a terminal, whose output is what it prints and nothing else", async () => {
    // The size comes with a call of its own, once the container runs.
    const untilSized = "until stty size 2>/dev/null | grep .; do sleep 0.05; done";
    const words = [process.execPath, ...node.tool(["run", "--no-timeline", "-t", image, "--"])];
    const command = [...words, "sh", "-c", `'tty; ${untilSized}; exit 4'`].join(" ");
    const result = await execa("script", ["-qec", `stty rows 33 cols 101; ${command}`, "/dev/null"], {
      reject: false,
      timeout: 60_000,
      stdin: "ignore",
    });
    expect(result.exitCode).toBe(4);
    expect(result.stdout).toMatch(/\/dev\/(pts\/\d+|console)/);
    expect(result.stdout).toContain("33 101");
  });

  it("passes a signal on and waits for what the container makes of it", async () => {
    const script = 'trap "echo got it; exit 3" INT; echo ready; while :; do sleep 0.1; done';
    const child = execa(process.execPath, [...node.tool(["run", image, "--", "sh", "-c", script])], {
      reject: false,
      timeout: 60_000,
    });
    await until(
      "the container is ready",
      () =>
        new Promise<true>((resolve) => {
          child.stdout.on("data", (data: Buffer) => data.toString().includes("ready") && resolve(true));
        }),
    );
    child.kill("SIGINT");
    const { exitCode, stdout } = await child;
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "ready\ngot it" });
  });

  it("tells the timeline as JSON", async () => {
    const { exitCode, stderr } = await node.peerpods(["--json", "run", image, "--", "true"]);
    expect(exitCode).toBe(0);
    const stamps = JSON.parse(stderr) as readonly TimelineStamp[];
    const order = [
      "CreateVM",
      "created",
      "StartVM",
      "starting",
      "instance",
      "running",
      "container",
      "exit",
      "gone",
    ];
    expect(stamps.map(({ name }) => name).filter((name) => order.includes(name))).toEqual(
      expect.arrayContaining(order),
    );
    expect(stamps.map(({ atMs }) => atMs)).toEqual(stamps.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
  });

  it("ends with 125, the cause and a remedy when the pod cannot be run", async () => {
    const { exitCode, stdout, stderr } = await node.peerpods([
      "run",
      "localhost/no-such-image",
      "--",
      "true",
    ]);
    expect(exitCode).toBe(125);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^peerpods: .*no-such-image[^]*\n {2}remedy: /m);
  });

  it("shows a running pod in ps, top, logs and the support bundle", async () => {
    const pod = `tool-${id}`;
    const script = 'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done';
    const environment = ["-e", `SECRET=${CANARY}`];
    const child = execa(
      process.execPath,
      [...node.tool(["run", "--name", pod, ...environment, image, "--", "sh", "-c", script])],
      { reject: false, timeout: 120_000 },
    );
    await using stopping = new AsyncDisposableStack();
    // Never by force: the tool takes the pod's network back when its container has ended.
    stopping.defer(async () => {
      child.kill("SIGTERM");
      await child;
    });
    await until("the pod runs", async () => (await node.peerpods(["ps"])).stdout.includes("running"));
    const { stdout: list } = await node.peerpods(["ps", "--json"]);
    expect(JSON.parse(list)).toMatchObject([{ podName: pod, phase: "running", relay: { vm: "connected" } }]);

    const top = await node.peerpods(["top"]);
    expect(top.stdout).toMatch(
      /^cloud-api-adaptor \S+, provider local, up \d+[sm], relay \S+\n1 of 10 sandboxes: 1 running\n/,
    );
    expect(top.stdout).toMatch(
      new RegExp(`default/${pod} +running +\\d+[sm] +connected +[\\d.]+ (B|KiB|MiB)`),
    );

    const logs = await node.peerpods(["logs", pod]);
    expect(logs.stderr).toMatch(new RegExp(`^default/${pod} \\([0-9a-f]{12}\\), running`));
    expect(logs.stdout).toMatch(/==> console <==\n[^]*is up, address 10\.213\.78\./);
    expect(logs.stdout).toContain("==> agent-protocol-forwarder");
    const one = await node.peerpods(["logs", `default/${pod}`, "--program", "console", "--bytes", "40"]);
    expect(one.stdout.length).toBeLessThanOrEqual(40);

    const bundle = join(directory, `bundle-${id}.tar.gz`);
    const made = await node.peerpods(["support-bundle", "-o", bundle], { env: { LOCAL_NAT: "false" } });
    expect(made.stderr).toBe("");
    expect((await stat(bundle)).mode & 0o777).toBe(0o600);
    const files = await unpack(bundle, directory);
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining([
        "manifest.json",
        "versions.json",
        "options.json",
        "sandboxes.json",
        "findings-provider.json",
        "findings-node.json",
        "daemon.log",
        "relay.json",
        "relay.log",
        "network/links.txt",
        "network/nftables.txt",
      ]),
    );
    expect(JSON.parse(files["manifest.json"] ?? "")).toMatchObject({ problems: [] });
    expect(JSON.parse(files["relay.json"] ?? "")).toMatchObject({ sandboxes: [{ state: "connected" }] });
    expect(files["daemon.log"]).toContain('"msg":"ready"');
    expect(Object.keys(files).some((name) => /^journal\/sandboxes\/[0-9a-f]{64}\.json$/.test(name))).toBe(
      true,
    );
    const tunnel = Object.entries(files).find(([name]) => /^network\/pods\/.*\/links\.txt$/.test(name));
    expect(tunnel?.[1]).toContain("vxlan");
    const everything = Object.values(files).join("\n");
    expect(everything).not.toContain(CANARY);
    expect(everything).not.toMatch(/PRIVATE KEY-----\s*[A-Za-z0-9+/]/);
    const again = await node.peerpods(["support-bundle", "-o", bundle]);
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain("remedy: name a file that does not exist");
  });

  it("watches in a terminal until it is interrupted, and gives the terminal back", async () => {
    const words = [process.execPath, ...node.tool(["top", "--interval", "0.1"])].join(" ");
    const child = execa("script", ["-qefc", `exec ${words}`, join(directory, "top.typescript")], {
      reject: false,
      timeout: 60_000,
      stdin: "pipe",
    });
    let shown = "";
    child.stdout.on("data", (data: Buffer) => {
      shown += data.toString();
    });
    await until("two frames", () => shown.split("\u001b[H").length > 2);
    child.stdin.write("\u0003");
    const { exitCode } = await child;
    expect(exitCode).toBe(0);
    expect(shown).toContain("0 of 10 sandboxes");
    expect(shown.trimEnd().slice(-LEAVE.length)).toBe(LEAVE);
  });

  it("finds nothing wrong with this node, and says what is wrong with an option", async () => {
    const flags = [
      `-state-dir=${join(directory, "node/state")}`,
      `-local-bridge=ppt${id}`,
      "-local-subnet=10.213.78.0/24",
    ];
    const well = await node.peerpods(["doctor", "local", ...flags, "--json"]);
    const report = JSON.parse(well.stdout) as { ok: boolean; areas: { area: string; findings: unknown[] }[] };
    expect(report.areas.map(({ area }) => area)).toEqual([
      "privileges",
      "kernel",
      "programs",
      "containerd and kata",
      "network",
      "limits",
      "clock",
      "disk",
      "provider local",
    ]);
    expect({ ok: report.ok, exitCode: well.exitCode }).toEqual({ ok: true, exitCode: 0 });

    const wrong = await node.peerpods([
      "doctor",
      "local",
      ...flags,
      "-host-interface=nope0",
      "-local-guest-dir=/nowhere",
    ]);
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stdout).toMatch(
      /ERROR {4}network\n +error: host-interface: there is no network interface nope0\n +remedy: /,
    );
    expect(wrong.stdout).toMatch(/ERROR {4}provider local\n +error: local-guest-dir: /);
    expect(wrong.stdout).toMatch(/\n2 errors, \d warnings?$/);
    const unknown = await node.peerpods(["doctor", "local", "-no-such-flag"]);
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stderr).toContain("flag -no-such-flag does not exist");
  });

  it("keeps what the guest of a failed start wrote", async () => {
    await stop();
    // Nobody listens there in the VM, so it is up but never reached.
    await startDaemon(["-forwarder-port=15199", "-proxy-timeout=3s"]);
    const pod = `fails-${id}`;
    const failed = await node.peerpods(["run", "--name", pod, image, "--", "true"]);
    expect(failed.exitCode).toBe(125);
    await until("nothing is left of it", async () => (await node.peerpods(["ps", "--json"])).stdout === "[]");
    expect(await readdir(join(directory, "node/state/providers/local/instances"))).toEqual([]);
    const { stdout, stderr, exitCode } = await node.peerpods(["logs", pod]);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(new RegExp(`^default/${pod} \\([0-9a-f]{12}\\), failed \\d{4}-.*\n.*15199`));
    expect(stdout).toMatch(/==> console <==\n[^]*starting agent-protocol-forwarder/);
    const gone = await node.peerpods(["logs", "never-was"]);
    expect(gone.exitCode).toBe(1);
    expect(gone.stderr).toMatch(/never-was[^]*remedy: peerpods ps/);
  });

  it("works without a daemon where it can, and says what to do where it cannot", async () => {
    await stop();
    const none = await node.peerpods(["ps"]);
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toMatch(/no daemon answers on .*control\.sock[^]*remedy: start it/);
    const bundle = join(directory, `without-${id}.tar.gz`);
    const made = await node.peerpods(["support-bundle", "-o", bundle, "--json"]);
    expect(JSON.parse(made.stdout)).toMatchObject({ path: bundle });
    const files = await unpack(bundle, directory);
    expect(files["no-daemon.txt"]).toContain("no daemon answers");
    expect(files["findings-node.json"]).toContain('"area": "kernel"');
    await startDaemon();
  });
});

/** The archive's files by name, without the directory at their top. */
async function unpack(archive: string, directory: string): Promise<Record<string, string>> {
  const target = await mkdtemp(join(directory, "unpacked-"));
  await execa("tar", ["-xzf", archive, "-C", target, "--strip-components=1"]);
  const names = await readdir(target, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(
      files.map(async (path) => [path.slice(target.length + 1), await readFile(path, "utf8")] as const),
    ),
  );
}
