import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimSocketPath, isServed, SocketPathError } from "./claim-socket-path.ts";

let dir: string;
let path: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "peerpods-claim-"));
  path = join(dir, "deep", "er", "a.sock");
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe("claimSocketPath", () => {
  it("makes the directory", async () => {
    await claimSocketPath(path, "socket");
    expect((await stat(join(path, ".."))).isDirectory()).toBe(true);
  });

  it("removes what a killed process left, and only that", async () => {
    await claimSocketPath(path, "socket");
    const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    await expect(claimSocketPath(path, "socket")).rejects.toThrow("socket: a running program listens on");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect((await stat(path)).isSocket()).toBe(true);
    expect(await isServed(path)).toBe(false);
    await claimSocketPath(path, "socket");
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("leaves a file alone that is no socket", async () => {
    await claimSocketPath(path, "socket");
    await writeFile(path, "precious");
    await expect(claimSocketPath(path, "socket")).rejects.toThrow("is no socket");
    expect(await readFile(path, "utf8")).toBe("precious");
  });

  it.each(["relative.sock", `/tmp/${"x".repeat(103)}`])("refuses %s", async (wrong) => {
    await expect(claimSocketPath(wrong, "socket")).rejects.toThrow(SocketPathError);
  });

  it("takes a listener that is slow to accept for a live one", async () => {
    await claimSocketPath(path, "socket");
    const server = createServer().listen({ path });
    await once(server, "listening");
    expect(await isServed(path)).toBe(true);
    server.close();
  });
});
