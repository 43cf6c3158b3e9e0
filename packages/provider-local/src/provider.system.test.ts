import { readFile, readlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { describe, expect, test } from "vitest";
import { parseCgroupLayout } from "./cgroup/layout.ts";
import { runCommand } from "./host/run.ts";
import { noTraces } from "./testing/host-traces.ts";
import { askVm, consoleOf, openTestBed, testCall, testRequest } from "./testing/test-bed.ts";
import { until } from "./host/until.ts";

const isRoot = process.geteuid?.() === 0;
const mountInfo = await readFile("/proc/self/mountinfo", "utf8");
const isPureV2 = parseCgroupLayout(mountInfo).mode === "v2";

describe.skipIf(!isRoot)("local pod VMs (need root)", () => {
  test("a pod VM has everything of its own", async () => {
    await using bed = await openTestBed();
    const userData = "#cloud-config\nwrite_files: []\n";
    const { addresses, name } = await bed.provider.createInstance(
      testRequest("own", { userData }),
      testCall(),
    );
    const [address = ""] = addresses;
    const ask = (command: string) => askVm(address, command);

    expect(await ask("hostname")).toBe(name);
    expect(hostname()).not.toBe(name);
    expect(await ask("cat /proc/1/comm")).toBe("init");
    expect((await ask("ps -o pid,args")).split("\n").length).toBeLessThan(12);
    for (const kind of ["pid", "mnt", "net", "uts", "ipc", "cgroup"])
      expect(await ask(`readlink /proc/self/ns/${kind}`)).not.toBe(await readlink(`/proc/self/ns/${kind}`));
    expect(await ask("cat /etc/os-release")).toContain("Peer Pods");
    expect(await ask("ls /")).not.toContain("work");
    expect(await ask("ls -A /run/old-root 2>/dev/null || echo gone")).toBe("gone");
    expect(await ask("cat /proc/self/cgroup | cut -d: -f3 | sort -u")).toBe("/");
    expect(await ask("cat /run/peerpod/apf.json")).toBe(userData.trim());
    expect(await ask("/usr/bin/ip -o -4 address show dev eth0")).toContain(`${address}/24`);
    expect(await ask("cat /sys/class/net/eth0/mtu")).toBe("1400");
    expect(await ask("/usr/bin/ip -n podns -o link show up")).toMatch(/^1: lo:[^\n]*$/);
    expect(await ask("echo x >/sys/kernel/mm/ksm/run || echo refused")).toBe("refused");
    expect(
      await ask("for d in null zero full random urandom tty ptmx; do [ -c /dev/$d ] || echo $d; done"),
    ).toBe("");
    for (const program of [
      "tc -V",
      "nft -v",
      "crun --version",
      "skopeo -v",
      "umoci -v",
      "node -v",
      "nsenter -V",
    ])
      expect(await ask(`/usr/bin/${program}`)).toMatch(/\d+\.\d+/);
  });

  test("limits are the pod's wishes, else the options'", async () => {
    await using bed = await openTestBed();
    const wish = { ...testRequest("x").spec, vcpus: 2, memoryMiB: 128 };
    const [plain, wished] = await Promise.all([
      bed.provider.createInstance(testRequest("plain"), testCall()),
      bed.provider.createInstance(testRequest("wished", { spec: wish }), testCall()),
    ]);
    const limits =
      "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max 2>/dev/null || " +
      "echo $(cat memory.max) $(cut -d' ' -f1 cpu.max) $(cat pids.max)";
    const read = async (address = "") => (await askVm(address, limits)).split(/\s+/).map(Number);
    expect(await read(plain.addresses[0])).toEqual([300 * 2 ** 20, 100_000, 200]);
    expect(await read(wished.addresses[0])).toEqual([128 * 2 ** 20, 200_000, 200]);
  });

  test("what is too much for the memory limit is killed in the VM", async () => {
    await using bed = await openTestBed();
    const { addresses } = await bed.provider.createInstance(testRequest("oom"), testCall());
    const eat = `node -e 'const a=[];for(;;)a.push(Buffer.alloc(1<<24,1))' >/dev/null 2>&1 || echo killed`;
    expect(await askVm(addresses[0] ?? "", eat)).toBe("killed");
    expect(await askVm(addresses[0] ?? "", "echo alive")).toBe("alive");
  });

  test("the same token yields the same instance, also from another provider; another request is a conflict", async () => {
    await using bed = await openTestBed();
    const first = await bed.provider.createInstance(testRequest("twice"), testCall());
    const restarted = await bed.open();
    expect(await restarted.createInstance(testRequest("twice"), testCall())).toEqual(first);
    await expect(
      restarted.createInstance(testRequest("twice", { userData: "other" }), testCall()),
    ).rejects.toMatchObject({ code: "conflict" });
    expect(await restarted.listInstances({ test: "yes" }, testCall())).toHaveLength(1);
    expect(await restarted.listInstances({ test: "no" }, testCall())).toEqual([]);
  });

  test("five at once get five addresses, and nothing of them is left", async () => {
    await using bed = await openTestBed();
    const tokens = ["a", "b", "c", "d", "e"];
    const made = await Promise.all(
      tokens.map((t) => bed.provider.createInstance(testRequest(t), testCall())),
    );
    expect(new Set(made.map((instance) => instance.addresses[0])).size).toBe(5);
    const names = await Promise.all(made.map(({ addresses }) => askVm(addresses[0] ?? "", "hostname")));
    expect(names).toEqual(made.map((instance) => instance.name));
    const peer = made[1]?.addresses[0];
    expect(await askVm(made[0]?.addresses[0] ?? "", `ping -c1 -W5 ${peer}`)).toContain("1 packets received");

    const traces = await bed.traces();
    expect(traces.links).toHaveLength(6);
    await Promise.all(
      made.map(({ id }) => bed.provider.deleteInstance({ instanceId: id, tags: {} }, testCall())),
    );
    expect(await bed.traces()).toEqual(noTraces);
  });

  test("deleting can be repeated, by id, token or both, and spares what carries other tags", async () => {
    await using bed = await openTestBed();
    const { id } = await bed.provider.createInstance(testRequest("del"), testCall());
    const remove = (request: { instanceId?: string; token?: string }, tags = {}) =>
      bed.provider.deleteInstance({ ...request, tags }, testCall());
    await expect(remove({ instanceId: id }, { test: "no" })).rejects.toMatchObject({ code: "conflict" });
    for (const bad of [
      {},
      { instanceId: "" },
      { instanceId: "i-0abc" },
      { instanceId: `${id};reboot` },
      { token: "A/" },
    ])
      await expect(remove(bad)).rejects.toMatchObject({ code: "invalid_request" });
    await expect(remove({ instanceId: id, token: "other" })).rejects.toMatchObject({
      code: "invalid_request",
    });
    expect(await bed.provider.getInstance({ token: "del" }, testCall())).toMatchObject({ state: "running" });

    await remove({ instanceId: id, token: "del" }, { test: "yes" });
    await remove({ token: "del" });
    await remove({ instanceId: id });
    await remove({ token: "never-made" });
    expect(await bed.traces()).toEqual(noTraces);
    expect(await bed.provider.getInstance({ instanceId: id }, testCall())).toBeUndefined();
  });

  test("an address that is used again is reachable at once", async () => {
    await using bed = await openTestBed();
    for (const token of ["first", "second", "third"]) {
      const { addresses } = await bed.provider.createInstance(testRequest(token), testCall());
      const started = performance.now();
      expect(await askVm(addresses[0] ?? "", "hostname")).toBe(`podvm-test-${token}`);
      expect(performance.now() - started).toBeLessThan(4000);
      await bed.provider.deleteInstance({ token, tags: {} }, testCall());
    }
  });

  test("a VM whose agent has left ends, and stays on record with its logs until it is deleted", async () => {
    await using bed = await openTestBed();
    const { id, addresses } = await bed.provider.createInstance(testRequest("leave"), testCall());
    await askVm(
      addresses[0] ?? "",
      "kill -USR2 $(ps -o pid,args | awk '/node .*dev-agent[.]mjs/ {print $1; exit}')",
    );
    const get = () => bed.provider.getInstance({ instanceId: id }, testCall());
    await until(async () => (await get())?.state === "stopping", { what: "the VM ends", timeoutMs: 10_000 });
    expect(await consoleOf(bed, id)).toContain("power off");
    expect(await bed.provider.listInstances({}, testCall())).toMatchObject([{ id, state: "stopping" }]);
    await expect(bed.provider.createInstance(testRequest("leave"), testCall())).rejects.toMatchObject({
      code: "conflict",
    });
    await bed.provider.deleteInstance({ instanceId: id, tags: {} }, testCall());
    expect(await bed.traces()).toEqual(noTraces);
  });

  test("refused user data ends the VM, and its logs say why", async () => {
    await using bed = await openTestBed();
    const { id } = await bed.provider.createInstance(
      testRequest("bad-data", { userData: "refuse-me" }),
      testCall(),
    );
    const get = () => bed.provider.getInstance({ instanceId: id }, testCall());
    await until(async () => (await get())?.state === "stopping", { what: "the VM ends", timeoutMs: 10_000 });
    expect(await consoleOf(bed, id)).toContain("process-user-data failed");
    const log = `${bed.stateDirectory}/instances/${id}/logs/process-user-data.log`;
    expect(await readFile(log, "utf8")).toContain("refused");
    await bed.provider.deleteInstance({ instanceId: id, tags: {} }, testCall());
    expect(await bed.traces()).toEqual(noTraces);
  });

  test("orphans in the VM are reaped", async () => {
    await using bed = await openTestBed();
    const { addresses } = await bed.provider.createInstance(testRequest("orphans"), testCall());
    const ask = (command: string) => askVm(addresses[0] ?? "", command);
    await ask("for i in 1 2 3; do (sleep 0.1 &) ; done");
    await until(async () => !(await ask("ps -o stat,args")).includes("sleep 0.1"), {
      what: "the orphans end",
      timeoutMs: 5000,
    });
    expect(await ask("ps -o stat | grep -c Z || true")).toBe("0");
  });

  test("the root's changes can be kept in memory", async () => {
    await using bed = await openTestBed({ "local-root-storage": "memory" });
    const { id, addresses } = await bed.provider.createInstance(testRequest("mem"), testCall());
    expect(await askVm(addresses[0] ?? "", "echo hi >/root/x && cat /root/x")).toBe("hi");
    await bed.provider.deleteInstance({ instanceId: id, tags: {} }, testCall());
    expect(await bed.traces()).toEqual(noTraces);
  });

  test("an image directory is shown to the agent, read-only", async () => {
    await using images = await openTestBed();
    await using bed = await openTestBed({ "local-image-dir": images.stateDirectory });
    const { addresses } = await bed.provider.createInstance(testRequest("images"), testCall());
    expect(await askVm(addresses[0] ?? "", "ls /run/peerpod-images")).toContain("leases");
    expect(await askVm(addresses[0] ?? "", "touch /run/peerpod-images/x || echo refused")).toBe("refused");
  });

  test("address translation comes with the first VM and goes with the last, whoever deletes it", async () => {
    await using bed = await openTestBed({ "local-nat": true });
    await bed.provider.createInstance(testRequest("nat1"), testCall());
    await bed.provider.createInstance(testRequest("nat2"), testCall());
    expect((await bed.traces()).tables).toHaveLength(1);
    await bed.provider.deleteInstance({ token: "nat1", tags: {} }, testCall());
    expect((await bed.traces()).tables).toHaveLength(1);
    const without = await bed.open({ "local-nat": false });
    await without.deleteInstance({ token: "nat2", tags: {} }, testCall());
    expect(await bed.traces()).toEqual(noTraces);
  });

  test("a real agent can take the place of the development agent", async () => {
    await using bed = await openTestBed();
    const guest = String(bed.config["local-guest-dir"]);
    const provider = await bed.open({ "local-agent": `${guest}/kata-agent` });
    const { addresses } = await provider.createInstance(testRequest("kata"), testCall());
    const programs = await askVm(addresses[0] ?? "", "ps -o args");
    expect(programs).toContain("kata-agent --config /etc/agent-config.toml");
    expect(programs).not.toContain("dev-agent");
    expect(await askVm(addresses[0] ?? "", "ldd /pause_bundle/rootfs/busybox 2>&1 || true")).not.toContain(
      "=>",
    );
  });

  test.skipIf(isPureV2)("without a cgroup2 tree the VM is ended by signals, whatever it forks", async () => {
    await using bed = await openTestBed();
    const v1 = mountInfo.split("\n").filter((line) => !line.includes(" - cgroup2 "));
    const provider = await bed.open({}, { run: runCommand, mountInfo: async () => v1.join("\n") });
    const { id, addresses } = await provider.createInstance(testRequest("signals"), testCall());
    await askVm(addresses[0] ?? "", "(while :; do sleep 0.01 & done) >/dev/null 2>&1 &");
    await provider.deleteInstance({ instanceId: id, tags: {} }, testCall());
    expect(await bed.traces()).toEqual(noTraces);
  });

  test("a container runs in the VM: root, cgroup limits and terminal devices are what a runtime needs", async () => {
    await using bed = await openTestBed();
    const { addresses } = await bed.provider.createInstance(testRequest("container"), testCall());
    const ask = (command: string) => askVm(addresses[0] ?? "", command);
    const limits = { memory: { limit: 64 * 2 ** 20 }, pids: { limit: 50 } };
    const inside = "echo $$; hostname; cat /proc/self/cgroup | wc -l; test -c /dev/pts/ptmx";
    await ask(
      "mkdir -p /run/box/rootfs/bin && cp /usr/bin/busybox /run/box/rootfs/bin/sh && cd /run/box && crun spec",
    );
    const spec = JSON.parse(await ask("cat /run/box/config.json")) as {
      process: object;
      linux: { resources: object };
    };
    spec.process = { ...spec.process, terminal: false, args: ["/bin/sh", "-c", inside] };
    spec.linux.resources = { ...spec.linux.resources, ...limits };
    await ask(`echo '${JSON.stringify(spec)}' >/run/box/config.json`);
    expect((await ask("crun run --bundle /run/box box")).split("\n").slice(0, 2)).toEqual(["1", "crun"]);
    // Kept alive, its cgroup can be looked at from the VM.
    spec.process = { ...spec.process, args: ["/bin/sh", "-c", "sleep 60"] };
    await ask(`echo '${JSON.stringify(spec)}' >/run/box/config.json`);
    await ask("crun run --detach --bundle /run/box held </dev/null >/dev/null 2>&1");
    const limitFiles =
      "find /sys/fs/cgroup -path '*held*' \\( -name memory.limit_in_bytes -o -name memory.max \\)";
    expect(await ask(`cat $(${limitFiles})`)).toBe(String(64 * 2 ** 20));
    await ask("crun delete --force held");
    await bed.provider.deleteInstance({ token: "container", tags: {} }, testCall());
    expect(await bed.traces()).toEqual(noTraces);
  });

  test("a damaged record hides no other instance, and its own can still be deleted", async () => {
    await using bed = await openTestBed();
    const broken = await bed.provider.createInstance(testRequest("broken"), testCall());
    const whole = await bed.provider.createInstance(testRequest("whole"), testCall());
    await writeFile(`${bed.stateDirectory}/instances/${broken.id}/record.json`, "{");
    const warnings: object[] = [];
    const logger = { ...testCall().logger, warn: (fields: object) => void warnings.push(fields) };
    const call = testCall({ logger });
    expect(await bed.provider.listInstances({}, call)).toMatchObject([{ id: whole.id }]);
    await expect(bed.provider.getInstance({ instanceId: broken.id }, call)).rejects.toMatchObject({
      code: "internal",
    });
    await bed.provider.deleteInstance({ instanceId: broken.id, tags: { test: "yes" } }, call);
    expect(warnings).toMatchObject([{ instanceId: broken.id }, { err: expect.any(Error) }]);
    await bed.provider.deleteInstance({ instanceId: whole.id, tags: {} }, testCall());
    expect(await bed.traces()).toEqual(noTraces);
  });
});
