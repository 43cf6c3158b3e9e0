import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bootScript } from "../boot/boot-script.ts";
import { initScript } from "../boot/init-script.ts";
import { runCommand } from "../host/run.ts";
import { findGuestPrograms } from "./guest-layer.ts";
import { kataAgentTexts, pauseProgram } from "./kata-agent-files.ts";
import { ensureLayer, type LayerRecipe } from "./layer.ts";
import { libraryTarget, parseLdd } from "./libraries.ts";

const signal = AbortSignal.timeout(20_000);
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "image-"));
});
afterEach(() => rm(directory, { recursive: true }));

describe("ldd", () => {
  test("libraries and loaders, each once; static programs and the kernel's own object give none", () => {
    const output = [
      "/usr/bin/a:",
      "\tlinux-vdso.so.1 (0x00007ffc)",
      "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f62)",
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f63)",
      "/usr/bin/busybox:",
      "\tnot a dynamic executable",
      "/usr/bin/b:",
      "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f99)",
      "\tlibx.so => /opt/x/lib/libx.so (0x00007fa0)",
    ].join("\n");
    expect(parseLdd(output)).toEqual([
      "/lib/x86_64-linux-gnu/libc.so.6",
      "/lib64/ld-linux-x86-64.so.2",
      "/opt/x/lib/libx.so",
    ]);
    expect(() => parseLdd("\tlibgone.so => not found\n")).toThrow("libgone.so");
  });

  test.each([
    ["/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6"],
    ["/lib64/ld-linux-x86-64.so.2", "/usr/lib64/ld-linux-x86-64.so.2"],
    ["/usr/lib/libz.so.1", "/usr/lib/libz.so.1"],
    ["/opt/x/lib/libx.so", "/usr/lib/libx.so"],
  ])("%s goes to %s", (path, target) => {
    expect(libraryTarget(path)).toBe(target);
  });
});

describe("layers", () => {
  const recipeOf = async (): Promise<LayerRecipe> => {
    const program = join(directory, "program");
    await writeFile(program, "v1");
    await chmod(program, 0o755);
    return {
      files: { "/usr/bin/program": program },
      texts: { "/etc/x": { content: "text", mode: 0o640 } },
      links: { "/bin": "usr/bin", "/usr/bin/other": "program" },
      directories: ["/proc", "/var/log/deep"],
    };
  };

  test("a tree holds what the recipe says, with its modes, whatever our umask", async () => {
    const recipe = await recipeOf();
    const umask = process.umask(0o077);
    const tree = await ensureLayer(join(directory, "cache"), recipe, signal).finally(() =>
      process.umask(umask),
    );
    expect(await readFile(join(tree, "bin/other"), "utf8")).toBe("v1");
    expect(await readlink(join(tree, "bin"))).toBe("usr/bin");
    const modeOf = async (path: string) => (await lstat(join(tree, path))).mode & 0o777;
    expect(await modeOf("usr/bin/program")).toBe(0o755);
    expect(await modeOf("etc/x")).toBe(0o640);
    for (const path of ["", "usr", "var/log/deep"]) expect(await modeOf(path)).toBe(0o755);
  });

  test("parallel builds give one tree and no leftovers; it is used again", async () => {
    const recipe = await recipeOf();
    const cache = join(directory, "cache");
    const trees = await Promise.all(Array.from({ length: 8 }, () => ensureLayer(cache, recipe, signal)));
    expect(new Set(trees).size).toBe(1);
    expect(await readdir(cache)).toHaveLength(1);
    await writeFile(join(trees[0] ?? "", "mark"), "");
    expect(await readdir(await ensureLayer(cache, recipe, signal))).toContain("mark");
  });

  test("a changed program, text or link is another tree", async () => {
    const recipe = await recipeOf();
    const cache = join(directory, "cache");
    const build = (changes: Partial<LayerRecipe> = {}) =>
      ensureLayer(cache, { ...recipe, ...changes }, signal);
    const trees = [await build(), await build({ links: {} }), await build({ texts: {} })];
    await utimes(join(directory, "program"), 1, 1);
    trees.push(await build());
    expect(new Set(trees).size).toBe(4);
  });

  test("a failing build leaves nothing; what a killed one left is removed", async () => {
    const recipe = await recipeOf();
    const cache = join(directory, "cache");
    await mkdir(join(cache, "building-4194999-dead/usr"), { recursive: true });
    const aborted = ensureLayer(cache, recipe, AbortSignal.abort(new Error("stop")));
    await expect(aborted).rejects.toThrow("stop");
    expect(await readdir(cache)).toEqual([]);
    const gone = { ...recipe, files: { "/x": join(directory, "gone") } };
    await expect(ensureLayer(cache, gone, signal)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

test("missing guest programs are named together, with the remedy", async () => {
  await writeFile(join(directory, "dev-agent.mjs"), "");
  const missing = findGuestPrograms({ guestDirectory: directory, kataAgent: "" });
  await expect(missing).rejects.toMatchObject({
    code: "invalid_config",
    message: expect.stringMatching(
      /process-user-data\.mjs, .*agent-protocol-forwarder\.mjs; .*LOCAL_GUEST_DIR/,
    ),
  });
  const real = findGuestPrograms({ guestDirectory: directory, kataAgent: "/no/kata-agent" });
  await expect(real).rejects.toThrow(/image-pull-stand-in\.mjs, \/no\/kata-agent/);
});

test.each([
  ["boot", bootScript],
  ["init", initScript],
])("the %s script is one that busybox can read", async (_, script) => {
  await runCommand("busybox", ["sh", "-n"], { signal, input: script });
  expect(script.startsWith("#!/bin/sh\n")).toBe(true);
});

test("the pause bundle names the one program that is put there", () => {
  const { process } = JSON.parse(kataAgentTexts["/pause_bundle/config.json"]?.content ?? "") as {
    process: { args: string[] };
  };
  expect(pauseProgram).toBe(`/pause_bundle/rootfs${process.args[0]}`);
});
