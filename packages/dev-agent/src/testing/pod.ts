import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pauseRequest, sandboxRequest, workloadRequest, type WorkloadOptions } from "./shim-requests.ts";
import { makeTestImage } from "./test-image.ts";
import { startTestVM, type TestVM } from "./test-vm.ts";

const applets = [
  "sh",
  "cat",
  "sleep",
  "echo",
  "ls",
  "dd",
  "stty",
  "tty",
  "ps",
  "id",
  "readlink",
  "kill",
  "tail",
  "stat",
];

/** A VM with a sandbox whose pause container runs. */
export interface TestPod extends AsyncDisposable {
  readonly vm: TestVM;
  readonly agent: TestVM["agent"];
  readonly sandboxId: string;
  /** Creates and starts a container. */
  run(options: WorkloadOptions): Promise<{ containerId: string; execId: string }>;
}

/** Starts a VM and a pod in it, with the image `localhost/busybox:latest`. */
export async function startTestPod(
  flags: readonly string[] = [],
  cgroups: { version?: 1 | 2; unlimited?: boolean } = {},
): Promise<TestPod> {
  await using undo = new AsyncDisposableStack();
  const images = await mkdtemp(join(tmpdir(), "dev-agent-images-"));
  undo.defer(() => rm(images, { recursive: true, force: true }));
  await makeTestImage(images, "localhost/busybox", applets);
  const vm = undo.use(await startTestVM(["-image-root", images, ...flags], cgroups.version));
  const { agent } = vm;
  const sandboxId = "5a".repeat(32);
  await agent.createSandbox(sandboxRequest(sandboxId));
  await agent.createContainer(pauseRequest(sandboxId, cgroups.unlimited));
  await agent.startContainer({ containerId: sandboxId });
  const parts = undo.move();
  return {
    vm,
    agent,
    sandboxId,
    run: async (options) => {
      await agent.createContainer(workloadRequest(options));
      await agent.startContainer({ containerId: options.id });
      return { containerId: options.id, execId: options.id };
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
