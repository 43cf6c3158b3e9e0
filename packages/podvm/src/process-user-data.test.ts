import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import manifest from "../package.json" with { type: "json" };

const program = join(import.meta.dirname, "process-user-data.ts");
const run = (...args: string[]) =>
  execa(process.execPath, ["--conditions=@peerpods/source", program, ...args], { reject: false });

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "process-user-data-"));
  await mkdir(join(root, "media/cidata"), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("process-user-data as a program", () => {
  it("provisions, and logs neither keys nor contents", async () => {
    const apf = JSON.stringify({ "pod-name": "p", "tls-server-key": "CANARY" });
    await writeFile(
      join(root, "media/cidata/user-data"),
      `write_files:\n- path: /run/peerpod/apf.json\n  content: '${apf}'\n- path: /etc/shadow\n  content: CANARY\n`,
    );
    const { exitCode, stdout, stderr } = await run("provision-files", "-t", "20", "--root", root);
    expect([exitCode, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("/etc/shadow");
    expect(stderr).not.toContain("CANARY");
    expect(await readFile(join(root, "run/peerpod/apf.json"), "utf8")).toBe(apf);
  });

  it("ends with 1 and one line that says what is wrong", async () => {
    await writeFile(join(root, "media/cidata/user-data"), "write_files: CANARY");
    const { exitCode, stderr } = await run("provision-files", "--root", root);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("process-user-data: user data is not a valid cloud-config document");
    expect(stderr).not.toContain("CANARY");
    await expect(readFile(join(root, "run/peerpod/apf.json"))).rejects.toThrow("ENOENT");
  });

  it("prints version and help", async () => {
    for (const flag of ["-v", "--version"]) {
      expect((await run(flag)).stdout).toBe(
        `process-user-data version ${manifest.version}\n  node: ${process.version}`,
      );
    }
    expect((await run()).stdout).toContain("provision-files");
    expect((await run("--help")).stdout).toContain("--user-data-fetch-timeout");
  });

  it.each([
    [["provision"], /unknown command "provision"/],
    [["provision-files", "-t", "soon"], /--user-data-fetch-timeout "soon" is not a whole number/],
    [["provision-files", "--nope"], /--nope/],
  ])("refuses %j", async (args, message) => {
    const { exitCode, stderr } = await run(...args);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(message);
  });
});
