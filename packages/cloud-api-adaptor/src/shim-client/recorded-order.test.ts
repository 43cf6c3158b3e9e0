import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fromBinary } from "@bufbuild/protobuf";
import { CopyFileRequestSchema, ReadStreamRequestSchema } from "@peerpods/kata-protocols/agent";
import { CreateVMRequestSchema } from "@peerpods/kata-protocols/hypervisor";
import { describe, expect, it, onTestFinished } from "vitest";
import { HypervisorClient, startPod } from "./index.ts";
import type { PodRequest } from "./index.ts";
import { ShimRecorder } from "./testing/recorded-calls.ts";
import { agentRoutes, hypervisorRoutes } from "./testing/scripted-guest.ts";
import type { GuestScript } from "./testing/scripted-guest.ts";

const wait = { signal: new AbortController().signal };
const sandboxId = "a".repeat(64);
const containerId = "c".repeat(64);

const request: PodRequest = {
  sandboxId,
  name: "busy",
  namespace: "default",
  netnsPath: "/var/run/netns/cni-x",
  machineType: "",
  podVMImage: "",
  vcpus: 1,
  memoryMiB: 128,
  initdata: "",
  dns: ["nameserver 192.0.2.53", ""],
};

async function recorded(script: GuestScript = {}) {
  const directory = await mkdtemp(join(tmpdir(), "shim-client-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const recorder = new ShimRecorder();
  onTestFinished(() => recorder[Symbol.asyncDispose]());
  const agentPath = join(directory, "agent.ttrpc");
  const hypervisorPath = join(directory, "hypervisor.sock");
  await recorder.serve(hypervisorPath, "H", hypervisorRoutes(agentPath, script));
  await recorder.serve(agentPath, "A", agentRoutes(sandboxId, script));
  return { recorder, hypervisor: new HypervisorClient(hypervisorPath) };
}

async function wholeLife(script: GuestScript) {
  const { recorder, hypervisor } = await recorded(script);
  const pod = await startPod(hypervisor, request, wait);
  const stdout = new PassThrough();
  const container = await pod.startContainer(
    { containerId, name: "main", image: "busybox", args: ["true"], env: [], cwd: "/", terminal: false },
    [{ destination: "/etc/hosts", content: Buffer.from("127.0.0.1 localhost\n") }],
    { stdout, stderr: new PassThrough().resume() },
  );
  const exitCode = await container.exited;
  stdout.end();
  await pod.stop(wait.signal);
  await expect.poll(() => recorder.events.at(-1)).toMatch("closed");
  return { recorder, exitCode, output: await text(stdout) };
}

describe("a pod whose container ends by itself", () => {
  it("is called as recorded: order, connections, metadata, deadlines", async () => {
    const { recorder, exitCode, output } = await wholeLife({ output: ["one\n", "two\n"], exitCode: 3 });
    expect({ exitCode, output }).toEqual({ exitCode: 3, output: "one\ntwo\n" });

    const rows = recorder.calls
      // Recorded to come in either order, beside the others.
      .filter(({ method }) => !method.startsWith("Read"))
      .map(
        ({ connection, method, metadata, deadlineS = "-" }) =>
          `${connection} ${method} ${metadata} ${deadlineS}`,
      );
    expect(rows).toEqual([
      "H1 CreateVM ns -",
      "H2 StartVM  600",
      "A1 Check ns 30",
      "A1 CreateSandbox ns 300",
      "A1 GetGuestDetails ns 60",
      "A1 CopyFile ns 60",
      "A1 CreateContainer ns 60",
      "A1 StartContainer ns 60",
      "A1 GetOOMEvent ns -",
      "A1 WaitProcess ns -",
      "A1 CopyFile ns 60",
      "A1 CreateContainer ns 60",
      "A1 StartContainer ns 60",
      "A1 WaitProcess ns -",
      "A1 SignalProcess ns 60",
      "A1 WaitProcess ns -",
      "A1 RemoveContainer ns 60",
      "A1 RemoveStaleVirtiofsShareMounts ns 60",
      "A1 SignalProcess ns 60",
      "A1 SignalProcess ns 60",
      "A1 WaitProcess ns -",
      "A1 RemoveContainer ns 60",
      "A1 RemoveStaleVirtiofsShareMounts ns 60",
      "A1 DestroySandbox ns 60",
      "H3 StopVM ns -",
    ]);
  });

  it("reads with metadata, without a deadline, 32768 bytes at a time, until the end", async () => {
    const { recorder } = await wholeLife({ output: ["one\n", "two\n"] });
    const reads = recorder.calls.filter(({ method }) => method.startsWith("Read"));
    expect(reads.map(({ metadata, deadlineS }) => [metadata, deadlineS])).toEqual(
      reads.map(() => ["ns", undefined]),
    );
    expect(reads.map(({ payload }) => fromBinary(ReadStreamRequestSchema, payload).len)).toEqual(
      reads.map(() => 32_768),
    );
    expect(reads.filter(({ method }) => method === "ReadStdout")).toHaveLength(3);
    expect(reads.filter(({ method }) => method === "ReadStderr")).toHaveLength(1);
  });

  it("uses the agent connection with ids 1, 3, 5 and closes it once StopVM is on its way", async () => {
    const { recorder } = await wholeLife({});
    const ids = recorder.calls
      .filter(({ connection }) => connection === "A1")
      .map(({ streamId }) => streamId);
    expect(ids).toEqual(ids.map((_id, index) => 2 * index + 1));
    expect(
      recorder.calls.filter(({ connection }) => connection !== "A1").map(({ streamId }) => streamId),
    ).toEqual([1, 1, 1]);
    expect(recorder.events.indexOf("A1 closed")).toBeGreaterThan(
      recorder.events.indexOf("A1 DestroySandbox"),
    );
    expect(recorder.events.filter((event) => event === "A1 closed")).toHaveLength(1);
  });

  it("CreateVM carries the nine annotations and no other", async () => {
    const { recorder } = await wholeLife({});
    const { annotations, id, networkNamespacePath } = fromBinary(
      CreateVMRequestSchema,
      recorder.calls[0]?.payload ?? new Uint8Array(),
    );
    const prefix = "io.katacontainers.config.hypervisor.";
    expect({ id, networkNamespacePath, annotations }).toEqual({
      id: sandboxId,
      networkNamespacePath: request.netnsPath,
      annotations: {
        "io.kubernetes.cri.sandbox-name": "busy",
        "io.kubernetes.cri.sandbox-namespace": "default",
        [`${prefix}machine_type`]: "",
        [`${prefix}image`]: "",
        [`${prefix}default_vcpus`]: "1",
        [`${prefix}default_memory`]: "128",
        [`${prefix}cc_init_data`]: "",
        [`${prefix}default_gpus`]: "0",
        [`${prefix}default_gpu_model`]: "",
      },
    });
  });

  it("CopyFile carries the recorded modes, POSIX for the file and Go's for its directory", async () => {
    const { recorder } = await wholeLife({});
    const copies = recorder.calls
      .filter(({ method }) => method === "CopyFile")
      .map(({ payload }) => fromBinary(CopyFileRequestSchema, payload));
    expect(copies[0]).toMatchObject({ fileMode: 33_188, dirMode: 2_147_484_136, fileSize: 22n, offset: 0n });
    expect(Buffer.from(copies[0]?.data ?? []).toString()).toBe("nameserver 192.0.2.53\n");
    expect(copies.map(({ path }) => path.replace(/-[0-9a-f]{16}-/, "-<hash>-"))).toEqual([
      `/run/kata-containers/shared/containers/${sandboxId}-<hash>-resolv.conf`,
      `/run/kata-containers/shared/containers/${containerId}-<hash>-hosts`,
    ]);
  });
});

describe("a pod that cannot be started", () => {
  it.each<[string, readonly string[]]>([
    ["CreateVM", []],
    ["StartVM", ["StopVM"]],
    ["Check", ["StopVM"]],
    ["CreateSandbox", ["StopVM"]],
    ["GetGuestDetails", ["DestroySandbox", "StopVM"]],
    ["CreateContainer", ["DestroySandbox", "StopVM"]],
  ])("%s fails: then %j, as recorded, and the cause is thrown", async (failing, after) => {
    const { recorder, hypervisor } = await recorded({ failing: [failing] });
    await expect(startPod(hypervisor, request, wait)).rejects.toMatchObject({
      rawMessage: `${failing} fails`,
    });
    const methods = recorder.calls.map(({ method }) => method);
    expect(methods.slice(methods.indexOf(failing) + 1)).toEqual(after);
  });
});

describe("stopping", () => {
  it("sends StopVM whatever the agent fails to do", async () => {
    const { recorder, hypervisor } = await recorded({ failing: ["RemoveContainer", "DestroySandbox"] });
    const pod = await startPod(hypervisor, request, wait);
    await pod.stop(wait.signal);
    expect(recorder.calls.at(-1)).toMatchObject({ connection: "H3", method: "StopVM" });
  });
});
