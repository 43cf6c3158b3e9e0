import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { createCommandShells } from "./shells.ts";
import type { CommandShells } from "./shells.ts";

const request = { program: "sh", input: "", timeoutMs: 10_000 };
const made: CommandShells[] = [];
afterEach(() => {
  for (const shells of made.splice(0)) shells[Symbol.dispose]();
});

function create(limit?: number): CommandShells {
  const shells = createCommandShells(limit === undefined ? {} : { limit });
  made.push(shells);
  return shells;
}

/** The shell that runs the program. */
const parent = ["-c", "echo $PPID"];

it("keeps a shell from program to program", async () => {
  const { run } = create();
  const first = await run({ ...request, args: parent });
  const second = await run({ ...request, args: parent });
  expect(Number(first.stdout)).toBeGreaterThan(1);
  expect(second.stdout).toBe(first.stdout);
});

it("passes words and input as they are", async () => {
  const { run } = create();
  const words = ["it's", '$HOME `id` "x"', "a\nb", ""];
  const args = ["-c", 'printf "<%s>" "$@"; cat', "-", ...words];
  const input = "$(id) 'quoted' \\ ü\n\nlast\n";
  await expect(run({ ...request, args, input })).resolves.toEqual({
    exitCode: 0,
    stdout: words.map((word) => `<${word}>`).join("") + input,
    stderr: "",
  });
});

it("tells what each program said from what the one before it said, on both outputs and without line ends", async () => {
  const { run } = create(1);
  const outputs = await Promise.all(
    [1, 2, 3].map((n) => run({ ...request, args: ["-c", `printf out${n}; printf err${n} >&2; exit ${n}`] })),
  );
  expect(outputs).toEqual([1, 2, 3].map((n) => ({ exitCode: n, stdout: `out${n}`, stderr: `err${n}` })));
});

it("brings a large output and a large input through", async () => {
  const { run } = create();
  const input = "0123456789abcde\n".repeat(20_000);
  const { stdout } = await run({ ...request, program: "cat", args: [], input });
  expect(stdout === input).toBe(true);
});

it("runs no more programs at once than allowed", async () => {
  const { run } = create(2);
  const outputs = await Promise.all([1, 2, 3, 4, 5, 6].map(() => run({ ...request, args: parent })));
  expect(new Set(outputs.map(({ stdout }) => stdout)).size).toBe(2);
});

it("runs them in the order in which they came", async () => {
  const { run } = create(1);
  const ended: number[] = [];
  await Promise.all(
    [1, 2, 3, 4, 5].map(async (n) => {
      await run({ ...request, args: ["-c", "exit 0"] });
      ended.push(n);
    }),
  );
  expect(ended).toEqual([1, 2, 3, 4, 5]);
});

it("lets who waits for its turn go when aborted", async () => {
  const { run } = create(1);
  const first = run({ ...request, program: "cat", args: [] });
  const abort = new AbortController();
  const waiting = run({ ...request, program: "cat", args: [], signal: abort.signal });
  abort.abort(new Error("caller is gone"));
  await expect(waiting).rejects.toThrow("caller is gone");
  await expect(first).resolves.toMatchObject({ exitCode: 0 });
  await expect(run({ ...request, program: "cat", args: [] })).resolves.toMatchObject({ exitCode: 0 });
});

it("goes on with another shell after one had to be killed, with all that it ran", async () => {
  const { run } = create(1);
  const before = await run({ ...request, args: parent });
  await expect(run({ ...request, program: "sleep", args: ["60"], timeoutMs: 50 })).rejects.toMatchObject({
    code: "timeout",
  });
  const after = await run({ ...request, args: parent });
  expect(after.stdout).not.toBe(before.stdout);
  await expect(isGone(Number(before.stdout))).resolves.toBe(true);
});

it("says so when the shell dies under a program", async () => {
  const { run } = create(1);
  await expect(run({ ...request, args: ["-c", "kill -9 $PPID; sleep 60"] })).rejects.toMatchObject({
    code: "command_failed",
  });
  await expect(run({ ...request, args: ["-c", "exit 0"] })).resolves.toMatchObject({ exitCode: 0 });
});

it("ends its shells when disposed, twice, and runs nothing any more", async () => {
  const shells = create();
  const { stdout } = await shells.run({ ...request, args: parent });
  const running = shells.run({ ...request, program: "sleep", args: ["60"] });
  shells[Symbol.dispose]();
  shells[Symbol.dispose]();
  await expect(running).rejects.toMatchObject({ code: "command_failed" });
  await expect(shells.run({ ...request, args: parent })).rejects.toMatchObject({ code: "command_failed" });
  await expect(isGone(Number(stdout))).resolves.toBe(true);
});

/** Whether the process ends within a while; one that only waits to be collected has ended. */
async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 500; tries++) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") Z");
    if (/\) [ZX]/.test(stat)) return true;
    await delay(10);
  }
  return false;
}
