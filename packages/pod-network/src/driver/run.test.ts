import { expect, it } from "vitest";
import { runCommand } from "./run.ts";

const request = { args: [] as string[], input: "", timeoutMs: 10_000 };

it("passes input and returns output and exit code", async () => {
  const args = ["-c", "cat; echo oops >&2; exit 3"];
  await expect(runCommand({ ...request, program: "sh", args, input: "text" })).resolves.toEqual({
    exitCode: 3,
    stdout: "text",
    stderr: "oops\n",
  });
});

it("survives a program that does not read its input", async () => {
  const result = await runCommand({ ...request, program: "false", input: "x".repeat(1_000_000) });
  expect(result.exitCode).toBe(1);
});

it("names a program that is missing", async () => {
  await expect(runCommand({ ...request, program: "ppn-no-such-program" })).rejects.toMatchObject({
    code: "tool_missing",
    message: expect.stringContaining("ppn-no-such-program"),
  });
});

it("kills a program at its deadline", async () => {
  await expect(
    runCommand({ ...request, program: "sleep", args: ["60"], timeoutMs: 20 }),
  ).rejects.toMatchObject({
    code: "timeout",
  });
});

it("kills a program when aborted, with the reason", async () => {
  const abort = new AbortController();
  const run = runCommand({ ...request, program: "sleep", args: ["60"], signal: abort.signal });
  abort.abort(new Error("caller is gone"));
  await expect(run).rejects.toThrow("caller is gone");
});

it("tells a program that was killed from one that failed", async () => {
  const args = ["-c", "kill -9 $$"];
  await expect(runCommand({ ...request, program: "sh", args })).rejects.toMatchObject({
    code: "command_failed",
  });
});
