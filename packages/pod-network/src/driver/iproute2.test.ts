import { expect, it } from "vitest";
import { command } from "./batch.ts";
import { createIpRoute2 } from "./iproute2.ts";
import type { CommandRequest, CommandResult } from "./run.ts";

function recorder(result: Partial<CommandResult> = {}) {
  const requests: CommandRequest[] = [];
  return {
    requests,
    run: (request: CommandRequest) => {
      requests.push(request);
      return Promise.resolve({ exitCode: 0, stdout: "", stderr: "", ...result });
    },
  };
}

const signal = new AbortController().signal;

it("runs a batch as one process", async () => {
  const { requests, run } = recorder({ stdout: '[{"ifname":"b"}]\n' });
  const answers = await createIpRoute2({ run }).ip([command`link set a up`, command`link show b`]);
  expect(requests).toMatchObject([
    { program: "ip", args: ["-j", "-batch", "-"], input: "link set a up\nlink show b\n" },
  ]);
  expect(answers).toEqual([[{ ifname: "b" }]]);
});

it("enters a namespace by path, and the driver's own namespace for all the rest", async () => {
  const { requests, run } = recorder();
  const driver = createIpRoute2({ run, hostNetns: "/proc/1/ns/net" });
  await driver.tc([], { netns: "/run/netns/pod" });
  await driver.nft("list ruleset\n");
  expect(requests.map(({ program, args }) => [program, ...args].join(" "))).toEqual([
    "nsenter --net=/run/netns/pod tc -batch -",
    "nsenter --net=/proc/1/ns/net nft -f -",
  ]);
  expect(driver.hostNetns).toBe("/proc/1/ns/net");
});

it("reads one answer a command", async () => {
  const { requests, run } = recorder({ stdout: '[{"dst":"default"}]\n[]\n' });
  const commands = [command`route show`, command`addr show`];
  const answers = await createIpRoute2({ run }).queryIp(commands, { ipv4: true, details: true, signal });
  expect(answers).toEqual([[{ dst: "default" }], []]);
  expect(requests[0]?.args).toEqual(["-4", "-d", "-j", "-batch", "-"]);
});

it("answers undefined for a table that does not exist, and fails for any other reason", async () => {
  const absent = recorder({ exitCode: 1, stderr: "Error: No such file or directory\nlist set ip a b" });
  expect(await createIpRoute2(absent).queryNft(["list", "set"], { signal })).toBeUndefined();
  const denied = recorder({ exitCode: 1, stderr: "Operation not permitted (you must be root)" });
  await expect(createIpRoute2(denied).queryNft(["list", "set"], { signal })).rejects.toMatchObject({
    code: "command_failed",
    message: expect.stringContaining("you must be root"),
  });
});

it("starts nothing for a caller that is gone", async () => {
  const { requests, run } = recorder();
  const aborted = AbortSignal.abort(new Error("gone"));
  await expect(createIpRoute2({ run }).queryIp([], { signal: aborted })).rejects.toThrow("gone");
  expect(requests).toEqual([]);
});

it("runs exclusive tasks one after another, also after one that failed", async () => {
  const driver = createIpRoute2(recorder());
  const events: string[] = [];
  const task = (name: string) => async () => {
    events.push(`${name} begins`);
    await Promise.resolve();
    events.push(`${name} ends`);
    if (name === "a") throw new Error("a failed");
  };
  const results = await Promise.allSettled([driver.exclusively(task("a")), driver.exclusively(task("b"))]);
  expect(events).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
});
