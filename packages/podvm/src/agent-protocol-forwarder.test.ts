import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeNodeIdentities } from "./forwarder/testing/certificates.ts";
import { packageVersion as version } from "./release.ts";

const program = join(import.meta.dirname, "agent-protocol-forwarder.ts");
const run = (...args: string[]) =>
  execa(process.execPath, ["--conditions=@peerpods/source", program, ...args], {
    reject: false,
    timeout: 20_000,
  });

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "apf-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const config = async (content: unknown) => {
  const path = join(directory, "apf.json");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};

describe("agent-protocol-forwarder as a program", () => {
  it("prints version and help with 0", async () => {
    const shown = await run("-version");
    expect([shown.exitCode, shown.stdout]).toEqual([
      0,
      `agent-protocol-forwarder version ${version}\n  node: ${process.version}`,
    ]);
    const help = await run("-h");
    expect([help.exitCode, help.stdout]).toEqual([0, expect.stringContaining("-host-interface VALUE")]);
  });

  it("ends with 1 and one line when it cannot start, before anything is touched", async () => {
    const node = await makeNodeIdentities();
    const { cert, key } = await node.server("a");
    const tls = { "tls-server-cert": cert, "tls-server-key": key, "tls-client-ca": node.client.cert };
    const cases: [unknown, RegExp][] = [
      ["{CANARY", /failed to decode .*apf\.json/],
      [{}, /no server certificate and key/],
      [{ "tls-server-cert": cert, "tls-server-key": key }, /no CA to check clients/],
      [tls, /has no pod-network/],
    ];
    for (const [content, message] of cases) {
      const { exitCode, stderr } = await run("-config", await config(content));
      expect([exitCode, stderr]).toEqual([1, expect.stringMatching(message)]);
      expect(stderr).not.toContain("CANARY");
      expect(stderr).not.toContain("PRIVATE KEY");
    }
    expect(await run("-nope")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("not defined: -nope"),
    });
    expect(await run("-config", "/nonexistent/apf.json")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("failed to open /nonexistent/apf.json"),
    });
  });
});
