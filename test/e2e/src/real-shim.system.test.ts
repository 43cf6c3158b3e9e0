import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "@peerpods/test-harness";
import { createPodBridge, type PodBridge } from "./stage/pod-namespace.ts";
import { startRealNode, testedAgents, type RealNode } from "./stage/real-node.ts";

describe.each(await testedAgents())("the real kata shim with $name", (agent) => {
  const { name, missing } = agent;
  describe.skipIf(missing !== undefined)(missing ?? "in containerd", () => {
    const id = randomBytes(2).toString("hex");
    const stage = new AsyncDisposableStack();
    let real: RealNode;
    let bridge: PodBridge;

    beforeAll(async () => {
      bridge = stage.use(await createPodBridge(`ppr${id}`, "10.244.81"));
      real = stage.use(await startRealNode({ bridge: `ppw${id}`, subnet: "10.213.81.0/24", agent }));
    });
    afterAll(() => stage.disposeAsync());

    const run = async (pod: string, command: readonly string[]) => {
      const { path } = await bridge.addPod(`ppr${id}-${pod}`);
      const args = real.containerd.podArguments({ name: pod, netns: path, image: real.image });
      return await real.containerd.ctr(["run", "--rm", ...args, real.image, `${id}${pod}`, ...command]);
    };

    it(`passes output and exit code of a container on (${name})`, async () => {
      const result = await run("a", ["/bin/sh", "-c", "echo from $(hostname); echo problem >&2; exit 7"]);
      expect(result, result.stderr).toMatchObject({ exitCode: 7 });
      expect(result.stdout).toMatch(/^from \S+$/m);
      expect(result.stderr).toContain("problem");
      await until(
        "the sandbox is gone",
        async () => (await real.node.peerpods(["--json", "ps"])).stdout.trim() === "[]",
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
