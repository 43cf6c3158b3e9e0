import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { execRequest, pauseRequest, sandboxRequest, workloadRequest } from "./testing/shim-requests.ts";
import { failure, finish, readUntil } from "./testing/streams.ts";
import { makeTestImage } from "./testing/test-image.ts";
import { missingForVM, startTestVM, type TestVM } from "./testing/test-vm.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const missing = missingForVM();
const sandbox = "5a".repeat(32);
const first = "c1".repeat(32);

describe.skipIf(missing !== undefined)(
  `a pod's life, as the shim drives it${missing ? ` (${missing})` : ""}`,
  () => {
    let vm: TestVM;
    let images: string;

    beforeAll(async () => {
      images = await mkdtemp(join(tmpdir(), "dev-agent-images-"));
      await makeTestImage(images, "localhost/busybox", ["sh", "cat", "sleep", "echo"]);
      vm = await startTestVM(["-image-root", images]);
    });

    afterAll(async () => {
      await vm?.[Symbol.asyncDispose]();
      await rm(images, { recursive: true, force: true });
    });

    test("one container with exec, stats and stop", async () => {
      const { agent, health } = vm;
      expect((await health.check({})).status).toBe(1);
      expect(await health.version({})).toMatchObject({ grpcVersion: "0.0.1" });
      await using second = await vm.connect();
      await agent.createSandbox(sandboxRequest(sandbox));
      // The socket has lost its name, but not those who were connected.
      await expect(vm.connect()).rejects.toThrow("ENOENT");
      expect(await failure(second.createSandbox(sandboxRequest(sandbox)))).toMatchObject({
        code: Code.AlreadyExists,
      });
      const details = await agent.getGuestDetails({ memBlockSize: true, memHotplugProbe: true });
      expect(details.agentDetails?.storageHandlers).toContain("image_guest_pull");

      await agent.createContainer(pauseRequest(sandbox));
      await agent.startContainer({ containerId: sandbox });
      const oom = failure(agent.getOOMEvent({}));
      const pauseEnd = agent.waitProcess({ containerId: sandbox, execId: sandbox });

      await agent.createContainer(
        workloadRequest({
          id: first,
          command:
            "echo from $(cat /proc/sys/kernel/hostname) as $$; echo oops >&2; while :; do sleep 0.1; done",
        }),
      );
      await agent.startContainer({ containerId: first });
      const target = { containerId: first, execId: first };
      expect(await readUntil(agent, target, "\n")).toBe("from busy as 1\n");
      const { data } = await agent.readStderr({ ...target, len: 32768 });
      expect(Buffer.from(data).toString()).toBe("oops\n");

      await agent.execProcess(
        execRequest(first, "b45e0112", "echo args: $(cat /proc/1/cmdline | tr '\\0' ' '); exit 5"),
      );
      const exec = await finish(agent, { containerId: first, execId: "b45e0112" });
      expect(exec).toEqual({
        stdout: expect.stringContaining("args: /bin/busybox sh"),
        stderr: "",
        status: 5,
      });

      const { cgroupStats } = await agent.statsContainer({ containerId: first });
      expect(cgroupStats?.cpuStats?.cpuUsage?.totalUsage).toBeGreaterThan(0n);
      expect(cgroupStats?.memoryStats?.usage?.limit).toBe(67108864n);
      expect(cgroupStats?.memoryStats?.usage?.usage).toBeGreaterThan(0n);
      expect(cgroupStats?.pidsStats?.current).toBeGreaterThan(0n);

      // SIGTERM to an init without a handler ends it all the same.
      await agent.signalProcess({ containerId: first, signal: 15 });
      expect(await finish(agent, target)).toMatchObject({ status: 137 });
      await agent.signalProcess({ containerId: first, signal: 9 });
      expect(await failure(agent.waitProcess(target))).toEqual({
        code: Code.NotFound,
        message: "InvalidExecId",
      });
      await agent.removeContainer({ containerId: first });
      await agent.removeStaleVirtiofsShareMounts({});

      await agent.signalProcess({ containerId: sandbox, signal: 9 });
      expect(await pauseEnd).toMatchObject({ status: 137 });
      await agent.signalProcess({ containerId: sandbox, signal: 9 });
      expect(await failure(agent.waitProcess({ containerId: sandbox, execId: sandbox }))).toMatchObject({
        code: Code.NotFound,
      });
      await agent.removeContainer({ containerId: sandbox });
      expect(
        await vm.shell("find /sys/fs/cgroup -path '*pppods*' -name 'c1*' -o -path '*pppods*' -name '5a*'"),
      ).toBe("");
      await agent.destroySandbox({});
      expect(await oom).toEqual({ code: Code.Internal, message: '""' });
      expect(await vm.ended).toBe(0);
    });
  },
);
