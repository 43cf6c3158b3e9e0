import { existsSync } from "node:fs";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPod, type TestPod } from "./testing/pod.ts";
import { execRequest } from "./testing/shim-requests.ts";
import { failure, finish, readUntil } from "./testing/streams.ts";
import { missingForVM } from "./testing/test-vm.ts";
import { until } from "./testing/until.ts";

const memory = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory.stat"].some((path) => existsSync(path))
  ? undefined
  : "needs the memory controller";

/** Doubles a string until the limit is met. */
const hog = "x=a; while :; do x=$x$x; done";

describe.each(
  ["crun", "runc"].map((runtime) => ({
    runtime,
    missing: missingForVM([runtime, "umoci", "busybox", "unshare"]) ?? memory,
  })),
)("resources with $runtime", ({ runtime, missing }) => {
  describe.skipIf(missing !== undefined)(missing ?? "available", () => {
    let pod: TestPod;

    beforeAll(async () => {
      pod = await startTestPod(["-runtime", runtime]);
    });

    afterAll(async () => {
      await pod?.[Symbol.asyncDispose]();
    });

    test("statistics have the recorded shape", async () => {
      const target = await pod.run({
        id: "stats",
        command: "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo up; while :; do sleep 0.1; done",
      });
      await readUntil(pod.agent, target, "up");
      const { cgroupStats, networkStats } = await pod.agent.statsContainer({ containerId: "stats" });
      const { cpuStats, memoryStats, pidsStats } = cgroupStats!;
      expect(cpuStats?.cpuUsage?.totalUsage).toBeGreaterThan(1_000_000n);
      expect(cpuStats?.throttlingData?.periods).toBeGreaterThanOrEqual(0n);
      expect(memoryStats?.usage?.limit).toBe(67108864n);
      expect(memoryStats?.useHierarchy).toBe(true);
      expect(Object.keys(memoryStats?.stats ?? {})).toContain("pgfault");
      expect(pidsStats?.current).toBeGreaterThanOrEqual(1n);
      expect(networkStats).toEqual([]);
      const pause = await pod.agent.statsContainer({ containerId: pod.sandboxId });
      expect(pause.cgroupStats?.pidsStats?.current).toBeGreaterThanOrEqual(1n);
    });

    test("limits of a running container are changed, up and down, and its devices are left alone", async () => {
      await pod.run({ id: "update", command: "while :; do sleep 0.1; done" });
      for (const limit of [100663296n, 50331648n]) {
        await pod.agent.updateContainer({
          containerId: "update",
          resources: {
            Devices: [{ Access: "rwm" }],
            Memory: { Limit: limit, Swap: limit },
            CPU: { Shares: 512n, Quota: 70000n, Period: 100000n },
          },
        });
        const { cgroupStats } = await pod.agent.statsContainer({ containerId: "update" });
        expect(cgroupStats?.memoryStats?.usage?.limit).toBe(limit);
      }
      await pod.agent.execProcess(
        execRequest("update", "null", "echo x >/dev/null && cat /dev/null && echo fine"),
      );
      expect(await finish(pod.agent, { containerId: "update", execId: "null" })).toMatchObject({
        stdout: "fine\n",
      });
    });

    test("paused means that nothing happens", async () => {
      const target = await pod.run({ id: "pause", command: "while :; do echo tick; sleep 0.02; done" });
      await readUntil(pod.agent, target, "tick");
      await pod.agent.pauseContainer({ containerId: "pause" });
      const cpu = async () =>
        (await pod.agent.statsContainer({ containerId: "pause" })).cgroupStats?.cpuStats?.cpuUsage
          ?.totalUsage;
      const before = await cpu();
      // Long enough for ten ticks.
      const probe = execRequest(pod.sandboxId, "clock", "");
      probe.process!.Args = ["/busybox", "sleep", "0.2"];
      await pod.agent.execProcess(probe);
      await pod.agent.waitProcess({ containerId: pod.sandboxId, execId: "clock" });
      expect(await cpu()).toBe(before);
      await pod.agent.resumeContainer({ containerId: "pause" });
      await until(async () => (await cpu())! > before!, "the container to go on");
    });

    test("a paused container can be killed", async () => {
      const target = await pod.run({ id: "frozen", command: "while :; do sleep 0.1; done" });
      await pod.agent.pauseContainer({ containerId: "frozen" });
      await pod.agent.signalProcess({ containerId: "frozen", signal: 9 });
      expect(await pod.agent.waitProcess(target)).toMatchObject({ status: 137 });
      await pod.agent.removeContainer({ containerId: "frozen" });
    });

    test("an OOM kill of the init process is told, although its cgroup goes with it", async () => {
      const event = pod.agent.getOOMEvent({});
      const target = await pod.run({ id: "oom-init", command: hog, memoryLimit: 16777216n });
      expect(await event).toMatchObject({ containerId: "oom-init" });
      expect(await finish(pod.agent, target)).toMatchObject({ status: 137 });
    });

    test("an OOM kill of another process is told while the container lives", async () => {
      const event = pod.agent.getOOMEvent({});
      const target = await pod.run({
        id: "oom-child",
        command: `(${hog}); echo survived; while :; do sleep 0.1; done`,
        memoryLimit: 16777216n,
      });
      expect(await event).toMatchObject({ containerId: "oom-child" });
      await readUntil(pod.agent, target, "survived");
    });

    test("of two who wait for OOM events, each gets one", async () => {
      const events = [pod.agent.getOOMEvent({}), pod.agent.getOOMEvent({})];
      await Promise.all(
        ["oom-a", "oom-b"].map((id) => pod.run({ id, command: hog, memoryLimit: 16777216n })),
      );
      const ids = (await Promise.all(events)).map((event) => event.containerId);
      expect(ids.sort()).toEqual(["oom-a", "oom-b"]);
    });

    test("an OOM event is not lost with the caller that gave up waiting for it", async () => {
      expect(await failure(pod.agent.getOOMEvent({}, { timeoutMs: 50 }))).toMatchObject({
        code: Code.DeadlineExceeded,
      });
      await pod.run({ id: "oom-later", command: hog, memoryLimit: 16777216n });
      expect(await pod.agent.getOOMEvent({})).toMatchObject({ containerId: "oom-later" });
    });

    test("a killed container leaves no process and no cgroup", async () => {
      const target = await pod.run({
        id: "gone",
        command: "sleep 1000 & sleep 1001 & while :; do sleep 0.1; done",
      });
      await pod.agent.execProcess(execRequest("gone", "e", "exec sleep 1002"));
      await pod.agent.signalProcess({ containerId: "gone", signal: 9 });
      expect(await pod.agent.waitProcess(target)).toMatchObject({ status: 137 });
      await pod.agent.removeContainer({ containerId: "gone" });
      expect(await pod.vm.shell("find /sys/fs/cgroup -name gone; grep -c gone /proc/mounts || :")).toBe(
        "0\n",
      );
      expect(existsSync(pod.vm.path("/run/kata-containers/gone/rootfs"))).toBe(false);
    });

    test("after twenty containers and execs the agent holds no more than before", async () => {
      const cycle = async (id: string) => {
        const target = await pod.run({ id, command: "cat" });
        await pod.agent.execProcess(execRequest(id, `${id}-exec`, "echo x"));
        await finish(pod.agent, { containerId: id, execId: `${id}-exec` });
        await pod.agent.closeStdin(target);
        await finish(pod.agent, target);
        await pod.agent.removeContainer({ containerId: id });
      };
      const agents = `for p in /proc/[0-9]*; do [ "$(readlink $p/exe)" != ${process.execPath} ] || echo $p; done`;
      const descriptors = () => pod.vm.shell(`ls $(${agents})/fd | wc -l`);
      await cycle("leak-first");
      const before = await descriptors();
      for (let round = 0; round < 4; round += 1)
        await Promise.all([1, 2, 3, 4, 5].map((index) => cycle(`leak-${round}-${index}`)));
      expect(Number(before)).toBeGreaterThan(10);
      expect(await descriptors()).toBe(before);
    });
  });
});
