import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";

const program = join(import.meta.dirname, "build-podvm-image.ts");
const run = (...args: string[]) =>
  execa(process.execPath, ["--conditions=@peerpods/source", program, ...args], { reject: false });

describe("build-podvm-image as a program", () => {
  it.each([
    ["an output", ["--agent", "/dev/null"], "--output is missing"],
    ["an agent", ["--output", "/tmp/never-made"], "--agent is missing"],
    [
      "the agent's file",
      ["--output", "/tmp/never-made", "--agent", "/nowhere/a.mjs"],
      "/nowhere/a.mjs does not exist",
    ],
    ["an option that there is", ["--no-such-option"], "--no-such-option"],
  ])("wants %s, and says so in one line", async (_what, args, message) => {
    const { exitCode, stdout, stderr } = await run(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/^build-podvm-image: .*$/);
    expect(stderr).toContain(message);
  });
});
