import { afterAll, describe, expect, it } from "vitest";
import { runCommand } from "./run.ts";
import { createCommandShells } from "./shells.ts";

const shells = createCommandShells();
afterAll(() => shells[Symbol.dispose]());

const request = { args: [] as string[], input: "", timeoutMs: 10_000 };

describe.each([
  ["as a child", runCommand],
  ["by way of a shell", shells.run],
])("a program run %s", (_how, run) => {
  it("passes input and returns output and exit code", async () => {
    const args = ["-c", "cat; echo oops >&2; exit 3"];
    await expect(run({ ...request, program: "sh", args, input: "text\n" })).resolves.toEqual({
      exitCode: 3,
      stdout: "text\n",
      stderr: "oops\n",
    });
  });

  it("survives a program that does not read its input", async () => {
    const result = await run({ ...request, program: "false", input: "x".repeat(1_000_000) });
    expect(result.exitCode).toBe(1);
  });

  it("names a program that is missing", async () => {
    await expect(run({ ...request, program: "ppn-no-such-program" })).rejects.toMatchObject({
      code: "tool_missing",
      message: expect.stringContaining("ppn-no-such-program"),
    });
  });

  it("kills a program at its deadline", async () => {
    await expect(run({ ...request, program: "sleep", args: ["60"], timeoutMs: 20 })).rejects.toMatchObject({
      code: "timeout",
    });
  });

  it("kills a program when aborted, with the reason", async () => {
    const abort = new AbortController();
    const running = run({ ...request, program: "sleep", args: ["60"], signal: abort.signal });
    abort.abort(new Error("caller is gone"));
    await expect(running).rejects.toThrow("caller is gone");
  });

  it("tells a program that was killed from one that failed", async () => {
    const args = ["-c", "kill -9 $$"];
    await expect(run({ ...request, program: "sh", args })).rejects.toMatchObject({
      code: "command_failed",
    });
  });
});
