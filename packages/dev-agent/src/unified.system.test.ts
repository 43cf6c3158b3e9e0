import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { startTestPod } from "./testing/pod.ts";
import { execRequest } from "./testing/shim-requests.ts";
import { finish, readUntil } from "./testing/streams.ts";
import { unifiedHierarchy } from "./testing/test-cgroups.ts";
import { missingForVM } from "./testing/test-vm.ts";

const hierarchy = unifiedHierarchy();
const missing =
  missingForVM() ?? (hierarchy === undefined ? "needs cgroup v2, alone or beside v1" : undefined);
const controllers = hierarchy === undefined ? "" : await readFile(`${hierarchy}/cgroup.controllers`, "utf8");
const noMemory = controllers.includes("memory") ? undefined : "needs the memory controller in cgroup v2";

const unlimited = noMemory !== undefined;

describe.skipIf(missing !== undefined)(`a VM with cgroup v2${missing ? ` (${missing})` : ""}`, () => {
  test("runs, signals and removes containers; the agent makes room for them", async () => {
    await using pod = await startTestPod([], { version: 2, unlimited });
    expect(await pod.vm.shell("cat /sys/fs/cgroup/cgroup.procs | wc -l")).toBe("0\n");
    const target = await pod.run({
      id: "v2",
      command: "sleep 1000 & echo up; while :; do sleep 0.1; done",
      unlimited,
    });
    await readUntil(pod.agent, target, "up");
    await pod.agent.execProcess(execRequest("v2", "e", "cat /proc/self/cgroup; exit 3"));
    const exec = await finish(pod.agent, { containerId: "v2", execId: "e" });
    expect(exec).toMatchObject({ stdout: expect.stringContaining("/pppods/pp1/v2") as string, status: 3 });
    const { cgroupStats } = await pod.agent.statsContainer({ containerId: "v2" });
    expect(cgroupStats?.cpuStats?.cpuUsage?.totalUsage).toBeGreaterThan(0n);
    await pod.agent.signalProcess({ containerId: "v2", signal: 9 });
    expect(await pod.agent.waitProcess(target)).toMatchObject({ status: 137 });
    await pod.agent.removeContainer({ containerId: "v2" });
    expect(await pod.vm.shell("find /sys/fs/cgroup -name v2")).toBe("");
  });

  test.skipIf(noMemory !== undefined)(`an OOM kill is told${noMemory ? ` (${noMemory})` : ""}`, async () => {
    await using pod = await startTestPod([], { version: 2 });
    const event = pod.agent.getOOMEvent({});
    const hog = "x=a; while :; do x=$x$x; done";
    const target = await pod.run({ id: "oom", command: hog, memoryLimit: 16777216n });
    expect(await event).toMatchObject({ containerId: "oom" });
    expect(await finish(pod.agent, target)).toMatchObject({ status: 137 });
  });
});
