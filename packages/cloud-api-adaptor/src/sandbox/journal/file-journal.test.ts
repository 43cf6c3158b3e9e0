import { mkdtemp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SandboxRecord } from "../record.ts";
import { MAX_ENTRY_BYTES, openFileJournal } from "./file-journal.ts";
import { JOURNAL_VERSION } from "./schema.ts";

const record: SandboxRecord = {
  sandboxId: "abc",
  clusterId: "cluster",
  nodeName: "node",
  podName: "web",
  podNamespace: "default",
  netnsPath: "/run/netns/cni-1",
  agentSocketPath: "/run/peerpod/pods/abc/agent.ttrpc",
  instanceName: "podvm-web-abc",
  spec: {
    instanceType: "large",
    vcpus: 2,
    memoryMiB: 512,
    gpus: 0,
    arch: "",
    image: "",
    multiNic: false,
    volumes: [{ diskId: "disk-1" }],
  },
  network: {
    podIp: "10.244.0.7/24",
    podHwAddr: "0a:58:0a:f4:00:07",
    interface: "eth0",
    workerNodeIp: "192.0.2.1/24",
    tunnelType: "vxlan",
    routes: [{ dst: "0.0.0.0/0", gw: "10.244.0.1", dev: "eth0", protocol: "static" }],
    neighbors: [{ ip: "10.244.0.1", hwAddr: "0a:58:0a:f4:00:01", dev: "eth0", state: "permanent" }],
    mtu: 1450,
    index: 3,
    vxlanPort: 4789,
    vxlanId: 555_003,
    dedicated: false,
    externalNetViaPodVm: false,
  },
  initdata: 'algorithm = "sha256"\n',
  phase: "running",
  lastAttempt: 2,
  attempts: [
    { number: 2, token: "abc-a2", placement: { instanceType: "large", zone: "z2" }, instanceId: "i-2" },
  ],
  instance: { id: "i-2", name: "podvm-web-abc", addresses: ["198.51.100.7"] },
  tunnel: {
    netnsPath: "/run/netns/cni-1",
    interface: "eth0",
    mtu: 1450,
    remote: "198.51.100.7",
    vxlanId: 555_003,
    vxlanPort: 4789,
  },
  times: { createdMs: 1, startingMs: 2, instanceMs: 3, tunnelMs: 4, connectedMs: 5, runningMs: 6 },
};

let dir: string;
const entry = () => join(dir, "sandboxes", "abc.json");

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "peerpods-journal-")), "journal");
});

afterEach(async () => {
  await rm(join(dir, ".."), { recursive: true });
});

describe("the journal", () => {
  it("gives back to the next daemon what one wrote", async () => {
    await (await openFileJournal(dir)).write(record);
    expect(await (await openFileJournal(dir)).load()).toEqual({ records: [record], quarantined: [] });
  });

  it("replaces an entry and forgets one, as often as it is asked", async () => {
    const journal = await openFileJournal(dir);
    await journal.write(record);
    await journal.write({ ...record, phase: "stopping", reason: "StopVM" });
    expect((await journal.load()).records).toMatchObject([{ phase: "stopping", reason: "StopVM" }]);
    await journal.remove("abc");
    await journal.remove("abc");
    expect(await journal.load()).toEqual({ records: [], quarantined: [] });
  });

  it("is readable by its owner only", async () => {
    const journal = await openFileJournal(dir);
    await journal.write(record);
    expect((await stat(entry())).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, "sandboxes"))).mode & 0o777).toBe(0o700);
  });

  it("removes what a write left that never came to its end", async () => {
    const journal = await openFileJournal(dir);
    await writeFile(join(dir, "sandboxes", ".tmp-abc.json.1234"), "half");
    expect(await journal.load()).toEqual({ records: [], quarantined: [] });
    expect(await readdir(join(dir, "sandboxes"))).toEqual([]);
  });

  it.each<[string, Partial<SandboxRecord>]>([
    ["too long", { initdata: "x".repeat(MAX_ENTRY_BYTES) }],
    ["of a cloud with endless ids", { instance: { id: "i".repeat(5000), name: "vm", addresses: [] } }],
    [
      "of a machine with endless addresses",
      { instance: { id: "i", name: "vm", addresses: Array(65).fill("192.0.2.1") } },
    ],
  ])("refuses an entry that nobody could read again: %s", async (_what, change) => {
    const journal = await openFileJournal(dir);
    await journal.write(record);
    await expect(journal.write({ ...record, ...change })).rejects.toMatchObject({ code: "journal" });
    expect(await journal.load()).toEqual({ records: [record], quarantined: [] });
  });

  it("names the file that cannot be written", async () => {
    const journal = await openFileJournal(dir);
    await mkdir(entry());
    await expect(journal.write(record)).rejects.toMatchObject({
      code: "journal",
      message: expect.stringContaining(entry()),
    });
  });
});

describe("an unreadable entry", () => {
  it.each<[string, (journal: string) => Promise<void>, string]>([
    ["was cut short", (path) => truncate(path, 100), "not JSON"],
    ["is empty", (path) => truncate(path, 0), "not JSON"],
    ["is no entry", (path) => writeFile(path, "[1]"), "expected object"],
    ["lacks something", (path) => replace(path, '"podName":"web",', ""), "podName"],
    ["has another phase", (path) => replace(path, '"running"', '"jogging"'), "phase"],
    ["has a network nobody could build", (path) => replace(path, '"10.244.0.7/24"', '"here"'), "podip"],
    ["is another sandbox's", (path) => replace(path, '"sandboxId":"abc"', '"sandboxId":"xyz"'), "xyz"],
    ["is huge", (path) => truncate(path, MAX_ENTRY_BYTES + 1), "at most"],
  ])("that %s is moved aside, told, and stops nothing else", async (_what, spoil, reason) => {
    const journal = await openFileJournal(dir);
    await journal.write(record);
    await journal.write({ ...record, sandboxId: "good" });
    await spoil(entry());
    const { records, quarantined } = await journal.load();
    expect(records.map(({ sandboxId }) => sandboxId)).toEqual(["good"]);
    expect(quarantined).toMatchObject([{ sandboxId: "abc", reason: expect.stringContaining(reason) }]);
    expect(await readdir(join(dir, "quarantine"))).toHaveLength(1);
    const again = await journal.load();
    expect(again.records).toHaveLength(1);
    expect(again.quarantined).toMatchObject([{ sandboxId: "abc", path: quarantined[0]!.path }]);
  });
});

it("an entry of a later daemon is left where it is, and ends the start", async () => {
  const journal = await openFileJournal(dir);
  await journal.write(record);
  await replace(entry(), '"version":1', '"version":2');
  await expect(journal.load()).rejects.toMatchObject({
    code: "journal",
    message: expect.stringContaining(`version 2; this daemon reads up to ${JOURNAL_VERSION}`),
  });
  expect(await readdir(join(dir, "sandboxes"))).toEqual(["abc.json"]);
});

describe("the next index", () => {
  it("begins at 0 and is remembered", async () => {
    expect(await (await openFileJournal(dir)).loadNextIndex()).toBe(0);
    await (await openFileJournal(dir)).saveNextIndex(64);
    expect(await (await openFileJournal(dir)).loadNextIndex()).toBe(64);
  });

  it("is never guessed", async () => {
    const journal = await openFileJournal(dir);
    await writeFile(join(dir, "next-index.json"), "{");
    await expect(journal.loadNextIndex()).rejects.toMatchObject({
      code: "journal",
      message: expect.stringContaining("next-index.json"),
    });
  });
});

async function replace(path: string, from: string, to: string): Promise<void> {
  const content = await readFile(path, "utf8");
  expect(content).toContain(from);
  await writeFile(path, content.replace(from, to));
}
