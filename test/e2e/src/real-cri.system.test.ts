import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingGo, until } from "@peerpods/test-harness";
import { runtimeHandler } from "./stage/containerd-config.ts";
import { connectCri, type Cri } from "./stage/cri.ts";
import { startRealNode, testedAgents, type RealNode } from "./stage/real-node.ts";

const noClient = await missingGo();
const agents = (await testedAgents()).map((agent) => ({ ...agent, missing: agent.missing ?? noClient }));

describe.each(agents)("a pod of the CRI in the real containerd and shim with $name", (agent) => {
  const { missing } = agent;
  describe.skipIf(missing !== undefined)(missing ?? "from RunPodSandbox to RemovePodSandbox", () => {
    const id = randomBytes(2).toString("hex");
    const stage = new AsyncDisposableStack();
    let real: RealNode;
    let cri: Cri;
    let pod: { readonly id: string; readonly config: object } | undefined;

    beforeAll(async () => {
      const podNetwork = { bridge: `ppc${id}`, subnet: "10.244.82" };
      real = stage.use(
        await startRealNode({ bridge: `ppw${id}`, subnet: "10.213.82.0/24", agent, podNetwork }),
      );
      cri = await connectCri(real.containerd.endpoint);
      await until("runtime and network are ready", async () => {
        const { status } = (await cri.runtime("Status", {})) as { status: { conditions: Condition[] } };
        const isReady = (type: string) => status.conditions.some((each) => each.type === type && each.status);
        return isReady("RuntimeReady") && isReady("NetworkReady");
      });
      const config = {
        metadata: { name: "web", uid: id, namespace: "shop", attempt: 0 },
        hostname: "web",
        logDirectory: join(real.directory, "logs"),
        dnsConfig: { servers: ["10.96.0.10"], searches: ["shop.svc.cluster.local"] },
        // Not below /kubepods: a kubelet of this machine would end what it does not know there.
        linux: { cgroupParent: `/${podNetwork.bridge}` },
      };
      const request = { config, runtimeHandler };
      pod = { id: String((await cri.runtime("RunPodSandbox", request))["podSandboxId"]), config };
    });
    afterAll(async () => {
      try {
        if (pod !== undefined) await removePod();
      } finally {
        await stage.disposeAsync();
      }
    });

    const removePod = async () => {
      const podSandboxId = pod?.id;
      await cri.runtime("StopPodSandbox", { podSandboxId });
      await cri.runtime("RemovePodSandbox", { podSandboxId });
      pod = undefined;
    };

    /** Creates and starts a container, and returns its id. */
    const start = async (name: string, script: string, more: object = {}): Promise<string> => {
      const config = {
        metadata: { name, attempt: 0 },
        image: { image: real.image },
        command: ["/bin/sh", "-c", script],
        logPath: `${name}.log`,
        envs: [{ key: "GREETING", value: btoa("hello") }],
        linux: {},
        ...more,
      };
      const created = await cri.runtime("CreateContainer", {
        podSandboxId: pod?.id,
        config,
        sandboxConfig: pod?.config,
      });
      const { containerId } = created as { containerId: string };
      await cri.runtime("StartContainer", { containerId });
      return containerId;
    };

    const statusOf = async (containerId: string): Promise<ContainerStatus> => {
      const { status } = await cri.runtime("ContainerStatus", { containerId });
      return status as ContainerStatus;
    };

    const ended = (containerId: string) =>
      until(
        "the container has ended",
        async () => (await statusOf(containerId)).state === "CONTAINER_EXITED",
      );

    /** Lines of a container's log file, without time stamp: `stdout F text`. */
    const logOf = async (name: string): Promise<readonly string[]> => {
      const text = await readFile(join(real.directory, "logs", `${name}.log`), "utf8");
      return text.split("\n").flatMap((line) => (line === "" ? [] : [line.slice(line.indexOf(" ") + 1)]));
    };

    /** The end of a container can be known before its last lines are written. */
    const expectLog = (name: string) => expect.poll(() => logOf(name), { timeout: 20_000 });

    it("is ready, with an address of the CNI, in a VM of its own", async () => {
      const { status } = await cri.runtime("PodSandboxStatus", { podSandboxId: pod?.id });
      expect(status).toMatchObject({ state: "SANDBOX_READY", network: { ip: "10.244.82.2" } });
      const sandboxes = JSON.parse((await real.node.peerpods(["--json", "ps"])).stdout) as object[];
      expect(sandboxes).toMatchObject([
        {
          podName: "web",
          podNamespace: "shop",
          phase: "running",
          relay: { vm: "connected", shim: "connected" },
        },
      ]);
    });

    it("writes what containers say into their log files, and tells their exit codes", async () => {
      const container = await start("short", "echo $GREETING from $(hostname); echo problem >&2; exit 7");
      await ended(container);
      expect(await statusOf(container)).toMatchObject({ exitCode: 7, reason: "Error" });
      await expectLog("short").toHaveLength(2);
      expect((await logOf("short")).toSorted()).toEqual(["stderr F problem", "stdout F hello from web"]);
      await cri.runtime("RemoveContainer", { containerId: container });
      await expect(cri.runtime("ContainerStatus", { containerId: container })).rejects.toThrow("NotFound");
    });

    it("has several containers that share the network, and each its own files", async () => {
      const serve = "echo only here >/tmp/mine; while true; do echo served | nc -l -p 8080 -w 5; done";
      const server = await start("server", serve);
      const client = await start("client", "until nc 127.0.0.1 8080 </dev/null; do :; done; ls /tmp");
      await ended(client);
      await expectLog("client").toEqual(["stdout F served"]);
      const { containers } = (await cri.runtime("ListContainers", {
        filter: { podSandboxId: pod?.id },
      })) as { containers: { id: string; state: string }[] };
      expect(containers.find((container) => container.id === server)?.state).toBe("CONTAINER_RUNNING");
      await cri.runtime("StopContainer", { containerId: server, timeout: 1 });
      expect(await statusOf(server)).toMatchObject({ state: "CONTAINER_EXITED", exitCode: 137 });
    });

    it("runs commands in a container, and takes new limits for it", async () => {
      const containerId = await start(
        "shell",
        "trap 'exit 5' TERM; echo ready; while true; do sleep 1; done",
      );
      const answer = await cri.runtime("ExecSync", {
        containerId,
        cmd: ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"],
        timeout: 30,
      });
      expect(answer).toEqual({ exitCode: 3, stdout: btoa("out\n"), stderr: btoa("err\n") });
      const piped = await cri.exec(containerId, {
        command: ["/bin/sh", "-c", "read line; echo got $line; exit 4"],
        input: "a line\n",
        tty: false,
      });
      expect(piped).toEqual({ exitCode: 4, stdout: "got a line\n", stderr: "" });
      const terminal = await cri.exec(containerId, {
        command: ["/bin/sh", "-c", "test -t 0 && test -t 1 && read line && echo got $line"],
        input: "typed\n",
        tty: true,
      });
      expect(terminal.exitCode).toBe(0);
      expect(terminal.stdout).toContain("got typed\r\n");
      const { stats } = (await cri.runtime("ContainerStats", { containerId })) as {
        stats: { memory: { workingSetBytes: { value: string } } };
      };
      expect(Number(stats.memory.workingSetBytes.value)).toBeGreaterThan(0);
      await cri.runtime("UpdateContainerResources", {
        containerId,
        linux: { memoryLimitInBytes: 64 * 2 ** 20 },
      });
      const script = "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes || cat memory.max";
      expect(
        await cri.runtime("ExecSync", { containerId, cmd: ["/bin/sh", "-c", script], timeout: 30 }),
      ).toMatchObject({ stdout: btoa(`${64 * 2 ** 20}\n`) });
      await cri.runtime("StopContainer", { containerId, timeout: 20 });
      expect(await statusOf(containerId)).toMatchObject({ state: "CONTAINER_EXITED", exitCode: 5 });
    });

    it("shows files and directories of the node, as volumes are, and memory of the pod", async () => {
      const [settings, token] = [join(real.directory, "settings"), join(real.directory, "token")];
      await mkdir(settings);
      await writeFile(join(settings, "greeting"), "from a volume\n");
      await writeFile(token, "a token\n", { mode: 0o600 });
      const container = await start(
        "volumes",
        "cat /etc/settings/greeting /run/token; df -T /dev/shm | tail -1",
        {
          mounts: [
            { containerPath: "/etc/settings", hostPath: settings, readonly: true },
            { containerPath: "/run/token", hostPath: token, readonly: true },
          ],
        },
      );
      await ended(container);
      await expectLog("volumes").toEqual([
        "stdout F from a volume",
        "stdout F a token",
        expect.stringMatching(/^stdout F shm +tmpfs /),
      ]);
    });

    it("goes on while the daemon is dead, and belongs to the next one", async () => {
      const containerId = await start("lasting", "while true; do echo alive; sleep 0.2; done");
      real.daemon.kill("SIGKILL");
      await real.daemon.ended;
      const lines = (await logOf("lasting")).length;
      await until("the log grows", async () => (await logOf("lasting")).length > lines + 3);
      const command = { containerId, cmd: ["/bin/echo", "still here"], timeout: 30 };
      expect(await cri.runtime("ExecSync", command)).toMatchObject({ stdout: btoa("still here\n") });
      const late = await start("late", "echo started without a daemon");
      await ended(late);
      await expectLog("late").toEqual(["stdout F started without a daemon"]);
      await real.node.startDaemon();
      const sandboxes = JSON.parse((await real.node.peerpods(["--json", "ps"])).stdout) as object[];
      expect(sandboxes).toMatchObject([{ podName: "web", phase: "running", relay: { vm: "connected" } }]);
      expect(await cri.runtime("ExecSync", command)).toMatchObject({ stdout: btoa("still here\n") });
      await cri.runtime("StopContainer", { containerId, timeout: 1 });
    });

    // Last: the pod is gone after it.
    it("takes the VM away when it is stopped", async () => {
      await removePod();
      const { items } = (await cri.runtime("ListPodSandbox", {})) as { items: object[] };
      expect(items).toEqual([]);
      await until(
        "the sandbox is gone",
        async () => (await real.node.peerpods(["--json", "ps"])).stdout.trim() === "[]",
      );
    });
  });
});

interface Condition {
  readonly type: string;
  readonly status?: boolean;
}

interface ContainerStatus {
  readonly state: string;
  readonly exitCode?: number;
  readonly reason?: string;
}
