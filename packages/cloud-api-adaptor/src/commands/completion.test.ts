import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("../peerpods.ts", import.meta.url));
const run = (args: readonly string[]) =>
  execa(process.execPath, ["--conditions=@peerpods/source", program, ...args], { reject: false });

// Each case starts the tool as a process of its own.
describe("completion", { timeout: 60_000 }, () => {
  it.each(["bash", "zsh", "fish"])("prints a script that %s can read", async (shell) => {
    const { exitCode, stdout } = await run(["completion", shell]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("peerpods");
    const installed = await execa("sh", ["-c", `command -v ${shell}`], { reject: false });
    const syntax =
      installed.exitCode === 0 ? await execa(shell, ["-n"], { input: stdout, reject: false }) : installed;
    expect(syntax.stderr).toBe("");
  });

  it.each<[readonly string[], readonly string[]]>([
    [[""], ["run", "ps", "top", "logs", "providers", "options", "doctor", "support-bundle"]],
    [["doctor", ""], ["local"]],
    [["options", "l"], ["local"]],
    [
      ["run", "--n"],
      ["--name", "--namespace", "--netns"],
    ],
    [
      ["options", "local", "--output", ""],
      ["table", "json", "markdown", "helm"],
    ],
  ])("of %j offers %j", async (words, offered) => {
    const { stdout } = await run(["complete", "--", ...words]);
    const names = stdout.split("\n").map((line) => line.split("\t")[0]);
    expect(names).toEqual(expect.arrayContaining([...offered]));
  });
});
