import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestPod, type TestPod } from "./testing/pod.ts";
import { workloadRequest } from "./testing/shim-requests.ts";
import { failure, finish } from "./testing/streams.ts";
import { makeTestImage } from "./testing/test-image.ts";
import { startTestRegistry, type TestRegistry } from "./testing/test-registry.ts";
import { missingForVM } from "./testing/test-vm.ts";

const missing = missingForVM(["crun", "umoci", "busybox", "unshare", "skopeo"]);

describe.skipIf(missing !== undefined)(`images${missing ? ` (${missing})` : ""}`, () => {
  let parts: AsyncDisposableStack;
  let pod: TestPod;
  let open: TestRegistry;
  let locked: TestRegistry;
  let layout: string;

  beforeAll(async () => {
    parts = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), "dev-agent-registry-"));
    parts.defer(() => rm(directory, { recursive: true, force: true }));
    layout = await makeTestImage(directory, "elsewhere/busybox", ["sh"]);
    open = parts.use(await startTestRegistry(layout));
    locked = parts.use(await startTestRegistry(layout, "pod:secret-canary"));
    const authFile = join(directory, "auth.json");
    const auth = Buffer.from("pod:secret-canary").toString("base64");
    await writeFile(authFile, JSON.stringify({ auths: { [locked.host]: { auth } } }));
    const insecure = [open.host, locked.host].flatMap((host) => ["-insecure-registry", host]);
    pod = parts.use(await startTestPod([...insecure, "-auth-file", authFile]));
  });

  afterAll(async () => {
    await parts?.disposeAsync();
  });

  const runs = async (id: string, image: string) => {
    const target = await pod.run({ id, image, command: "echo it runs" });
    return finish(pod.agent, target);
  };
  const works = { stdout: "it runs\n", stderr: "", status: 0 };

  test.each([
    ["a name, from the image root", "localhost/busybox:latest"],
    ["a name without tag", "localhost/busybox"],
  ])("%s", async (_, image) => {
    expect(await runs(`name-${image.length}`, image)).toEqual(works);
  });

  test("an OCI layout by its path", async () => {
    expect(await runs("by-path", `oci:${layout}:latest`)).toEqual(works);
  });

  test("a name that is only in its registry", async () => {
    expect(await runs("registry", `${open.host}/some/busybox:1.0`)).toEqual(works);
    expect(open.requests).toContain("/v2/some/busybox/manifests/1.0");
  });

  test("a registry by transport, with credentials, which appear nowhere", async () => {
    expect(await runs("auth", `docker://${locked.host}/busybox:latest`)).toEqual(works);
    expect(pod.vm.log()).not.toContain("secret-canary");
  });

  test("many containers of one new image: it is pulled once", async () => {
    const image = `${open.host}/parallel/busybox:1`;
    const results = await Promise.all([1, 2, 3, 4, 5].map((index) => runs(`parallel-${index}`, image)));
    expect(results).toEqual(Array.from({ length: 5 }, () => works));
    expect(open.requests.filter((path) => path.includes("/parallel/busybox/manifests/1"))).toHaveLength(1);
  });

  test("containers do not see what others write to their root", async () => {
    const write = await pod.run({ id: "writes", command: "echo mine >/tmp/file; ls /tmp" });
    expect(await finish(pod.agent, write)).toMatchObject({ stdout: "file\n" });
    const look = await pod.run({ id: "looks", command: "ls /tmp" });
    expect(await finish(pod.agent, look)).toMatchObject({ stdout: "" });
  });

  test.each([
    ["no layout and no registry", "localhost/missing:1", Code.Internal],
    ["a tag that the layout has not", "localhost/busybox:other", Code.Internal],
    ["a layout that is not there", "oci:/nowhere:latest", Code.Internal],
    ["text that is no name", "busybox; reboot", Code.InvalidArgument],
    ["a flag", "--help", Code.InvalidArgument],
    ["nothing", "", Code.InvalidArgument],
  ])("%s: the error names the image", async (_, image, code) => {
    const error = await failure(
      pod.agent.createContainer(workloadRequest({ id: "none", image, command: "true" })),
    );
    expect(error.code).toBe(code);
    expect(error.message).toContain(JSON.stringify(image));
  });

  test("an image that the registry has not, and then another attempt", async () => {
    const image = `${open.host}/missing/busybox:1`;
    const request = workloadRequest({ id: "absent", image, command: "true" });
    for (let attempt = 0; attempt < 2; attempt += 1)
      expect((await failure(pod.agent.createContainer(request))).message).toContain("manifest unknown");
    expect(
      open.requests.filter((path) => path.includes("/missing/busybox/manifests/1")).length,
    ).toBeGreaterThanOrEqual(2);
  });

  test("nothing of pulls, failed or not, is left beside the images", async () => {
    expect(
      await pod.vm.shell(
        `ls ${join(pod.vm.directory, "store", "images")} | grep -v '^[0-9a-f]\\{64\\}$' || :`,
      ),
    ).toBe("");
  });
});
