import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Code, createClient } from "@connectrpc/connect";
import { ImagePullService } from "@peerpods/kata-protocols/image-pull";
import { dialTtrpc } from "@peerpods/ttrpc";
import { describe, expect, test } from "vitest";
import { failure } from "./testing/streams.ts";
import { makeTestImage } from "./testing/test-image.ts";
import { missingForVM } from "./testing/test-vm.ts";
import { until } from "./testing/until.ts";

const missing = missingForVM(["umoci", "skopeo", "busybox"]);
const program = fileURLToPath(new URL("image-pull-stand-in.ts", import.meta.url));

describe.skipIf(missing !== undefined)(`the image-pull stand-in${missing ? ` (${missing})` : ""}`, () => {
  test("puts images into bundles, as a kata agent asks for them", async () => {
    await using undo = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), "image-pull-"));
    undo.defer(() => rm(directory, { recursive: true, force: true }));
    await makeTestImage(join(directory, "images"), "localhost/busybox", ["sh"]);
    const socket = join(directory, "run", "cdh.sock");
    const flags = [
      "-log-level",
      "error",
      "-listen",
      `unix://${socket}`,
      "-image-root",
      join(directory, "images"),
    ];
    const child = spawn(process.execPath, ["--conditions=@peerpods/source", program, ...flags], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const exit = once(child, "exit");
    undo.defer(async () => {
      child.kill("SIGKILL");
      await exit;
    });
    await until(() => existsSync(socket), "the socket", child);
    await using connection = await dialTtrpc({ path: socket });
    const client = createClient(ImagePullService, connection.transport);

    const bundles = [1, 2, 3].map((index) => join(directory, `bundle-${index}`));
    await Promise.all(
      bundles.map((bundlePath) => client.pullImage({ imageUrl: "localhost/busybox:latest", bundlePath })),
    );
    for (const bundle of bundles) {
      expect(await readdir(bundle)).toEqual(["rootfs"]);
      expect((await stat(join(bundle, "rootfs/bin/busybox"))).mode & 0o111).toBe(0o111);
    }
    // A bundle of an earlier attempt is replaced.
    await client.pullImage({ imageUrl: "localhost/busybox", bundlePath: bundles[0]! });

    const bundlePath = join(directory, "none");
    expect(await failure(client.pullImage({ imageUrl: "oci:/nowhere:1", bundlePath }))).toEqual({
      code: Code.Internal,
      message: expect.stringContaining('"oci:/nowhere:1"') as string,
    });
    for (const path of ["", "relative", "/a/../b"])
      expect(
        await failure(client.pullImage({ imageUrl: "localhost/busybox", bundlePath: path })),
      ).toMatchObject({
        code: Code.InvalidArgument,
      });

    await connection[Symbol.asyncDispose]();
    child.kill("SIGTERM");
    expect(await exit).toEqual([0, null]);
  });
});
