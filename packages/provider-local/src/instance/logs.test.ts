import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { instancePaths, statePaths, type InstancePaths, type LocalHost } from "../local-host.ts";
import { testCall } from "../testing/test-bed.ts";
import { namesOfToken } from "./identity.ts";
import { consoleLogs } from "./logs.ts";

const key = "abc123";
let directory: string;
let local: LocalHost;
let paths: InstancePaths;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pplogs-"));
  const state = statePaths(directory);
  // Reading logs needs nothing else of the machine.
  local = { key, paths: state } as LocalHost;
  paths = instancePaths(state, namesOfToken(key, "one").id);
  await mkdir(paths.logs, { recursive: true });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const read = (maxBytes = 1000) => consoleLogs(local, { token: "one", maxBytes }, testCall());

describe("the logs of an instance", () => {
  it("are the console and each program's, the console first", async () => {
    await writeFile(paths.consoleFile, "booting\nup\n");
    await writeFile(join(paths.logs, "dev-agent.log"), "agent listens\n");
    await writeFile(join(paths.logs, "agent-protocol-forwarder.log"), "");
    expect(await read()).toEqual([
      { name: "console", text: "booting\nup\n", truncated: false },
      { name: "agent-protocol-forwarder", text: "", truncated: false },
      { name: "dev-agent", text: "agent listens\n", truncated: false },
    ]);
  });

  it("are cut to their end", async () => {
    await writeFile(paths.consoleFile, `${"x".repeat(5000)}the end\n`);
    expect(await read(8)).toEqual([{ name: "console", text: "the end\n", truncated: true }]);
  });

  it("are none for an instance that is gone or never was", async () => {
    expect(await consoleLogs(local, { token: "other", maxBytes: 10 }, testCall())).toEqual([]);
  });

  it("are never read through what the VM has put in a file's place", async () => {
    const secret = join(directory, "secret");
    await writeFile(secret, "of the machine");
    await symlink(secret, join(paths.logs, "link.log"));
    await mkdir(join(paths.logs, "directory.log"));
    execFileSync("mkfifo", [join(paths.logs, "pipe.log")]);
    await writeFile(join(paths.logs, "..evil\nname.log"), "x");
    await writeFile(join(paths.logs, "note.txt"), "x");
    await symlink(secret, paths.consoleFile);
    expect(await read()).toEqual([]);
  });

  it("are a handful at most, however many the VM makes", async () => {
    for (let index = 0; index < 50; index += 1) await writeFile(join(paths.logs, `many${index}.log`), "x");
    expect(await read()).toHaveLength(16);
  });
});
