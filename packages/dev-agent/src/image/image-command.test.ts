import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { SpecSchema } from "@peerpods/kata-protocols/oci";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withArgs, withImageCommand } from "../runtime-spec/command.ts";
import { writeLayout } from "../testing/test-layout.ts";
import { readImageCommand } from "./image-command.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dev-agent-layout-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe("an image's command", () => {
  test("is entrypoint and command together", async () => {
    const config = { Entrypoint: ["/init"], Cmd: ["a", "b"], Env: ["PATH=/bin"], WorkingDir: "/srv" };
    await writeLayout(directory, { config });
    expect(await readImageCommand({ directory, tag: "1" })).toEqual({
      args: ["/init", "a", "b"],
      env: ["PATH=/bin"],
      cwd: "/srv",
    });
  });

  test("is empty where the image has none, or something else in its place", async () => {
    await writeLayout(directory, { config: { Entrypoint: null, Cmd: "sh", Env: [1] } });
    expect(await readImageCommand({ directory, tag: "1" })).toEqual({ args: [], env: [], cwd: "/" });
  });

  test("cannot be read from a layout that does not have the tag", async () => {
    await writeLayout(directory, {});
    await expect(readImageCommand({ directory, tag: "2" })).rejects.toThrow("no digest");
  });

  test("a digest does not lead out of the layout", async () => {
    await writeLayout(directory, {});
    const annotations = { "org.opencontainers.image.ref.name": "1" };
    const manifests = [{ digest: "sha256:../../../../etc/passwd", annotations }];
    await writeFile(join(directory, "index.json"), JSON.stringify({ manifests }));
    await expect(readImageCommand({ directory, tag: "1" })).rejects.toThrow("no digest");
  });

  const image = { args: ["/init"], env: ["PATH=/image", "A=image"], cwd: "/srv" };
  const spec = (Args: string[], Env: string[] = [], Cwd = "/") =>
    create(SpecSchema, { Process: { Args, Env, Cwd } });

  test("is used by a container that brings none", () => {
    expect(withImageCommand(spec([], ["A=pod"]), image).Process).toMatchObject({
      Args: ["/init"],
      Env: ["PATH=/image", "A=pod"],
      Cwd: "/srv",
    });
    expect(withImageCommand(spec([], [], "/own"), image).Process?.Cwd).toBe("/own");
  });

  test("is not mixed with a command that the worker has merged", () => {
    const given = spec(["sh"]);
    expect(withImageCommand(given, image)).toBe(given);
  });

  test("of the pause container is always the VM's", () => {
    expect(withArgs(spec(["/pause"]), ["/busybox", "sleep"]).Process?.Args).toEqual(["/busybox", "sleep"]);
  });
});
