import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "@peerpods/test-harness";
import { execa } from "execa";
import { findKataAgent, missingShim, startContainerd, type Containerd } from "./stage/containerd.ts";
import { buildBusyboxImage } from "./stage/image.ts";
import { createPodBridge, type PodBridge } from "./stage/pod-namespace.ts";
import { createWorkerNode, type WorkerNode } from "./stage/worker-node.ts";

const noShim = await missingShim();
const agent = findKataAgent();

const agents: { name: string; flags: readonly string[]; missing: string | undefined }[] = [
  { name: "the development agent", flags: [], missing: noShim },
  {
    name: "the real kata-agent",
    flags: agent === undefined ? [] : ["-local-agent", agent],
    missing:
      noShim ??
      (agent === undefined ? "needs a real agent: set PEERPODS_KATA_AGENT to a kata-agent" : undefined),
  },
];

describe.each(agents)("the real kata shim with $name", ({ name, flags, missing }) => {
  describe.skipIf(missing !== undefined)(missing ?? "in containerd", () => {
    const image = "localhost/busybox:latest";
    const id = randomBytes(2).toString("hex");
    const stage = new AsyncDisposableStack();
    let containerd: Containerd;
    let node: WorkerNode;
    let bridge: PodBridge;

    beforeAll(async () => {
      const directory = await mkdtemp("/tmp/pprs-");
      stage.defer(() => rm(directory, { recursive: true, force: true }));
      const images = join(directory, "images");
      const layout = await buildBusyboxImage(images, "localhost/busybox");
      bridge = stage.use(await createPodBridge(`ppr${id}`, "10.244.81"));
      node = stage.use(
        await createWorkerNode({
          directory: join(directory, "n"),
          imageDirectory: images,
          bridge: `ppw${id}`,
          subnet: "10.213.81.0/24",
          flags,
        }),
      );
      await node.startDaemon();
      containerd = stage.use(await startContainerd(join(directory, "c"), node.hypervisorSocket));
      const archive = join(directory, "image.tar");
      await execa("skopeo", [
        "copy",
        "--quiet",
        `oci:${layout}:latest`,
        `docker-archive:${archive}:${image}`,
      ]);
      expect(await containerd.ctr(["images", "import", archive])).toMatchObject({ exitCode: 0 });
    });
    afterAll(() => stage.disposeAsync());

    const run = async (pod: string, command: readonly string[]) => {
      const { path } = await bridge.addPod(`ppr${id}-${pod}`);
      const args = containerd.podArguments({ name: pod, netns: path, image });
      return await containerd.ctr(["run", "--rm", ...args, image, `${id}${pod}`, ...command]);
    };

    it(`passes output and exit code of a container on (${name})`, async () => {
      const result = await run("a", ["/bin/sh", "-c", "echo from $(hostname); echo problem >&2; exit 7"]);
      expect(result, result.stderr).toMatchObject({ exitCode: 7 });
      expect(result.stdout).toMatch(/^from \S+$/m);
      expect(result.stderr).toContain("problem");
      await until(
        "the sandbox is gone",
        async () => (await node.peerpods(["--json", "ps"])).stdout.trim() === "[]",
      );
    });

    it(`passes more than a pipe holds, whole (${name})`, async () => {
      const result = await run("b", ["/bin/sh", "-c", "seq 1 60000"]);
      expect(result.exitCode).toBe(0);
      const numbers = result.stdout.trim().split(/\s+/);
      expect(numbers).toHaveLength(60_000);
      expect(numbers.at(-1)).toBe("60000");
    });
  });
});
