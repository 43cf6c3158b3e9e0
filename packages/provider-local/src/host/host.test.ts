import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { acquireFileLock } from "./file-lock.ts";
import { parseMountInfo, visibleMounts } from "./mount-info.ts";
import { isAlive, parseProcStat, readBootId } from "./process-identity.ts";
import { findProgram } from "./programs.ts";
import { CommandError, runCommand } from "./run.ts";
import { until } from "./until.ts";

const signal = AbortSignal.timeout(20_000);
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "host-"));
});
afterEach(() => rm(directory, { recursive: true }));

describe("process identity", () => {
  test("a name with brackets and blanks does not shift the fields", () => {
    const rest = Array.from({ length: 49 }, (_, i) => i + 3).join(" ");
    expect(parseProcStat(`77 (a) b) (c) S ${rest.slice(2)}`)).toMatchObject({ pid: 77, state: "S" });
    expect(() => parseProcStat("nothing")).toThrow("not a line");
  });

  test("this process lives; another start time, boot or number does not; nor does a zombie", async () => {
    const { startTicks } = parseProcStat(await readFile("/proc/self/stat", "utf8"));
    const self = { pid: process.pid, startTicks, bootId: await readBootId() };
    expect(await isAlive(self)).toBe(true);
    expect(await isAlive({ ...self, startTicks: startTicks + 1 })).toBe(false);
    expect(await isAlive({ ...self, bootId: "another" })).toBe(false);
    expect(await isAlive({ ...self, pid: 2 ** 22 + 1 })).toBe(false);

    // The shell's child has ended and the shell, having become sleep, never asks for it.
    const shell = spawn("sh", ["-c", "sleep 0.01 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = (await once(shell.stdout, "data")) as [Buffer];
    const stat = async () => parseProcStat(await readFile(`/proc/${Number(line)}/stat`, "utf8"));
    await until(async () => (await stat()).state === "Z", { what: "a zombie", timeoutMs: 5000 });
    const zombie = { ...self, pid: Number(line), startTicks: (await stat()).startTicks };
    expect(await isAlive(zombie)).toBe(false);
    shell.kill("SIGKILL");
  });
});

describe("running programs", () => {
  test("input, output, exit codes", async () => {
    expect(await runCommand("cat", [], { signal, input: "hello" })).toBe("hello");
    expect(await runCommand("sh", ["-c", "echo out; exit 1"], { signal, alsoAccept: [1] })).toBe("out\n");
    const failing = runCommand("sh", ["-c", "echo because >&2; exit 3"], { signal });
    await expect(failing).rejects.toMatchObject({ stderr: "because", message: "sh failed: because" });
    await expect(runCommand("no-such-program", [], { signal })).rejects.toBeInstanceOf(CommandError);
  });

  test("our environment stays with us", async () => {
    process.env["CANARY"] = "secret";
    expect(await runCommand("env", [], { signal })).not.toContain("secret");
  });

  test("an abort rejects with its reason and ends the program; so does the time, and too much output", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const running = runCommand("sleep", ["60"], { signal: controller.signal });
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expect(runCommand("sleep", ["60"], { signal, timeoutMs: 20 })).rejects.toThrow(
      "not done after 20 ms",
    );
    await expect(runCommand("cat", ["/dev/zero"], { signal })).rejects.toThrow("exceeds");
  });

  test("an open file can be passed on", async () => {
    const path = join(directory, "f");
    await using file = await open(path, "w");
    await runCommand("sh", ["-c", "echo passed >&3"], { signal, inheritFd: file.fd });
    expect(await readFile(path, "utf8")).toBe("passed\n");
  });
});

describe("file lock", () => {
  test("one holder at a time, and no file is left", async () => {
    const path = join(directory, "lock");
    let holders = 0;
    const turn = async () => {
      await using _ = await acquireFileLock(path, runCommand, signal);
      expect(++holders).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      holders--;
    };
    await Promise.all(Array.from({ length: 6 }, turn));
    expect(await readdir(directory)).toEqual([]);
  });

  test("whoever gives up waiting takes nothing along", async () => {
    const path = join(directory, "lock");
    await using held = await acquireFileLock(path, runCommand, signal);
    const reason = new Error("no patience");
    const controller = new AbortController();
    const waiting = acquireFileLock(path, runCommand, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await held[Symbol.asyncDispose]();
    await using _ = await acquireFileLock(path, runCommand, signal);
  });
});

test("until gives up with what it waited for", async () => {
  const never = until(async () => false, { what: "the impossible", timeoutMs: 20 });
  await expect(never).rejects.toThrow("the impossible");
  const aborted = until(async () => false, {
    what: "x",
    timeoutMs: 5000,
    signal: AbortSignal.abort(new Error("stop")),
  });
  await expect(aborted).rejects.toThrow("stop");
});

test("mountinfo: optional fields, escapes, foreign lines", () => {
  const text =
    String.raw`36 35 98:0 / /mnt/a\040b rw master:1 shared:2 - ext4 /dev/root rw,errors=continue` +
    "\njunk\n";
  expect(parseMountInfo(text)).toEqual([
    { mountPoint: "/mnt/a b", fsType: "ext4", superOptions: ["rw", "errors=continue"] },
  ]);
});

test("programs are found where a service would find them", async () => {
  expect(await findProgram("sh")).toMatch(/^\//);
  expect(await findProgram("no-such-program")).toBeUndefined();
});

test("a mount that a later one lies on top of cannot be reached", () => {
  const mount = (mountPoint: string, fsType: string) => ({ mountPoint, fsType, superOptions: [] });
  const machine = [mount("/", "ext4"), mount("/sys", "sysfs"), mount("/sys/fs/cgroup/memory", "cgroup")];
  const own = [mount("/sys", "sysfs"), mount("/sys/fs/cgroup", "cgroup2"), mount("/system", "tmpfs")];
  expect(visibleMounts(machine)).toEqual(machine);
  expect(visibleMounts([...machine, ...own])).toEqual([mount("/", "ext4"), ...own]);
});
