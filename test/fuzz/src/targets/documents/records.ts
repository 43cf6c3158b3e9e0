import { Buffer } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isProviderError } from "@peerpods/cloud-providers";
import { canary, refusedAs, refusedAsync, require, requireNoSecret } from "../../allowed.ts";
import { NewerEntryError, parseEntry, readRecord, serializeEntry } from "../../internals.ts";
import { stateless } from "../../target.ts";
import type { FuzzTarget } from "../../target.ts";

const entry = serializeEntry({
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
  initdata: canary,
  phase: "running",
  lastAttempt: 1,
  attempts: [
    { number: 1, token: "abc-a1", placement: { instanceType: "large", zone: "z2" }, instanceId: "i-2" },
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
});

/** A journal entry is read, or refused without quoting it; what is read is the same when it is written and read again. */
export const journal: FuzzTarget = {
  name: "journal",
  boundary: "journal entries: from an earlier daemon, or whatever the disk made of them",
  seeds: [Buffer.from(entry), Buffer.from('{"version":2,"sandbox":{}}')],
  words: ["null", '"running"', '"__proto__":{},', "1e999", '"version":1,', "[]", "{}", "-1"],
  open: stateless((input) => {
    const record = refusedAs(
      () => parseEntry(input.toString()),
      (error) => {
        requireNoSecret(error);
        // Sentences of ours, and none of the engine's own kinds of error, which would be our mistake.
        return error instanceof NewerEntryError || (error instanceof Error && error.constructor === Error);
      },
    );
    if (record === undefined) return;
    const text = serializeEntry(record);
    require(serializeEntry(parseEntry(text)) === text, "an entry that is read is the same again");
  }),
};

const instanceRecord = JSON.stringify({
  version: 1,
  id: "local-0123456789abcdef",
  token: "abc-a1",
  fingerprint: "f",
  phase: "running",
  name: "podvm-web",
  tags: { "peerpods.dev/cluster": "c" },
  createdAt: 1,
  vm: { address: "10.88.0.2", init: { pid: 7, startTicks: 9, bootId: "b" } },
});

/** A record of `provider-local` is read, or refused as damaged. */
export const localRecord: FuzzTarget = {
  name: "local-record",
  boundary: "instance records of provider-local, or whatever the disk made of them",
  seeds: [Buffer.from(instanceRecord)],
  words: ["null", '"deleting"', '"__proto__":{},', "1e999", "-1", "[]", "{}"],
  async open() {
    const directory = await mkdtemp(join(tmpdir(), "peerpods-fuzz-record-"));
    return {
      async take(input) {
        await writeFile(join(directory, "record.json"), input);
        const record = await refusedAsync(
          () => readRecord(directory),
          (error) => isProviderError(error) && error.code === "internal",
        );
        require(record === undefined || record.version === 1, "a record has our version");
      },
      [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
    };
  },
};
