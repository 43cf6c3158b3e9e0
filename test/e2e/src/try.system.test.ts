import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildBusyboxImage } from "./stage/image.ts";
import { tunnelRules } from "./stage/tunnel-rules.ts";

const isRoot = process.geteuid?.() === 0;
const id = randomBytes(2).toString("hex");
const image = "localhost/try";
const adaptor = dirname(createRequire(import.meta.url).resolve("@peerpods/cloud-api-adaptor/package.json"));

describe.skipIf(!isRoot)("peerpods on provider local, without a daemon before (needs root)", () => {
  const bridge = `ppy${id}`;
  let directory: string;

  const start = (words: readonly string[], flags: readonly string[] = []) =>
    execa(
      process.execPath,
      [
        join(adaptor, "dist/peerpods.js"),
        ...words,
        ...["-local-bridge", bridge, "-local-subnet", "10.213.79.0/24"],
        ...["-local-image-dir", join(directory, "images"), ...flags],
      ],
      // In a process group of its own, as a shell starts it.
      { reject: false, timeout: 110_000, stdin: "ignore", detached: true },
    );
  const peerpods = async (words: readonly string[], flags: readonly string[] = []) => {
    const { exitCode, stdout, stderr } = await start(words, flags);
    return { exitCode, stdout, stderr };
  };
  /** A tool whose container runs, and ends with 3 at SIGTERM. */
  const startWaiting = async () => {
    const script = "trap 'exit 3' TERM; echo ready; while :; do sleep 0.1; done";
    const tool = start(["try", "local", "--image", image, "--script", script]);
    const { pid } = tool;
    if (pid === undefined) throw new Error("the tool did not start");
    await Promise.race([
      once(tool.stdout, "data"),
      tool.then(({ stderr }) => Promise.reject(new Error(`the tool has ended: ${stderr}`))),
    ]);
    return { tool, pid };
  };
  /** The daemon that a tool has started. */
  const daemonOf = async (pid: number) => {
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ");
    for (const child of children)
      if ((await readFile(`/proc/${child}/cmdline`, "utf8")).includes("/main.js\0local\0"))
        return Number(child);
    throw new Error(`no daemon among the children ${children.join(", ")} of the tool`);
  };
  const tries = async () => (await readdir("/tmp")).filter((name) => name.startsWith("pptry-"));
  const links = async () => (await readdir("/sys/class/net")).filter((name) => name === bridge);

  beforeAll(async () => {
    directory = await mkdtemp("/tmp/pptrial-");
    await buildBusyboxImage(join(directory, "images"), image);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it("makes one pod VM, runs a container in it, tells when what happened, and leaves nothing", async () => {
    const before = await tries();
    const { exitCode, stdout, stderr } = await peerpods(["try", "local", "--image", image]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain("hello from a pod VM");
    for (const step of ["instance", "tunnel", "running", "exit", "gone"])
      expect(stderr).toMatch(new RegExp(`ms .* ${step}$`, "m"));
    expect(stderr).toMatch(/nothing is left: no instance carries cluster try-[0-9a-f]{12}/);
    expect(await links()).toEqual([]);
    expect((await tries()).filter((name) => !before.includes(name))).toEqual([]);
  });

  it("passes the exit code of the container on", async () => {
    const { exitCode } = await peerpods(["try", "local", "--image", image, "--script", "exit 9"]);
    expect(exitCode).toBe(9);
  });

  it("takes pod VM and tunnel back when a signal goes to its whole process group, as Ctrl-C does", async () => {
    const [tryBefore, rulesBefore] = [await tries(), await tunnelRules()];
    const { tool, pid } = await startWaiting();
    expect((await tunnelRules()).length).toBeGreaterThan(rulesBefore.length);
    process.kill(-pid, "SIGTERM");
    const { exitCode, stderr } = await tool;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3 });
    expect(stderr).toContain("nothing is left");
    expect(await tunnelRules()).toEqual(rulesBefore);
    expect(await links()).toEqual([]);
    expect((await tries()).filter((name) => !tryBefore.includes(name))).toEqual([]);
  });

  it("takes pod VM and tunnel back itself when its daemon was killed", async () => {
    const [tryBefore, rulesBefore] = [await tries(), await tunnelRules()];
    const { tool, pid } = await startWaiting();
    process.kill(await daemonOf(pid), "SIGKILL");
    process.kill(pid, "SIGTERM");
    const { exitCode, stderr } = await tool;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 125 });
    expect(stderr).toMatch(/1 left behind, 1 deleted now/);
    expect(stderr).toMatch(/^tunnel \d+ to 10\.213\.79\.\d+ was left on this node, removed now$/m);
    expect(await tunnelRules()).toEqual(rulesBefore);
    expect(await links()).toEqual([]);
    const kept = (await tries()).filter((name) => !tryBefore.includes(name));
    expect(kept).toHaveLength(1);
    await rm(join("/tmp", kept[0] ?? "?"), { recursive: true });
  });

  it("takes the pod VM back when its container cannot be run", async () => {
    const { exitCode, stderr } = await peerpods(["try", "local", "--image", "localhost/no-such-image"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("nothing is left");
    expect(await links()).toEqual([]);
  });

  it("says why the daemon does not start, before anything is made", async () => {
    const { exitCode, stderr } = await peerpods(["try", "local"], ["-local-mtu", "12"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("local-mtu");
    expect(await links()).toEqual([]);
  });

  it("holds the provider against rules of the contract", async () => {
    const rules = ["--rule", "token-repeat", "--rule", "delete-by-token"];
    const { exitCode, stdout, stderr } = await peerpods(["conformance", "local", "--yes", ...rules]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain("2 passed, 0 failed");
    expect(await links()).toEqual([]);
  });
});
