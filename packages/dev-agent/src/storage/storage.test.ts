import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { StorageSchema } from "@peerpods/kata-protocols/agent";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CommandError, type Run } from "../host/run.ts";
import type { Tools } from "../host/tools.ts";
import { ImageStore } from "../image/image-store.ts";
import { writeLayout } from "../testing/test-layout.ts";
import { attachStorage } from "./attach.ts";
import { parseStorageOptions } from "./options.ts";
import type { StorageContext } from "./storage-context.ts";

describe("storage options", () => {
  test("mode and group are taken, the rest is for mount", () => {
    expect(parseStorageOptions(["noexec", "mode=1777", "size=64", "fsgid=123"])).toEqual({
      mode: 0o1777,
      groupId: 123,
      mount: ["noexec", "mode=1777", "size=64"],
    });
  });

  test.each(["mode=999", "mode=", "fsgid=-1", "fsgid=x"])("%s is refused", (option) => {
    expect(() => parseStorageOptions([option])).toThrow(option);
  });
});

describe("root file systems where overlays cannot be stacked", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "dev-agent-storage-"));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  const storage = (fields: MessageInitShape<typeof StorageSchema>) => create(StorageSchema, fields);

  function context(run: Run, warnings: string[]): StorageContext {
    const logger = pino({ level: "warn" }, { write: (line: string) => warnings.push(line) });
    const tool = (name: string) => [`/${name}`] as const;
    const tools = {
      mount: tool("mount"),
      umount: tool("umount"),
      cp: tool("cp"),
      umoci: "/umoci",
    } as Partial<Tools> as Tools;
    const host = { run, tools, logger };
    return {
      host,
      images: new ImageStore(
        {
          directory: join(directory, "store"),
          imageRoot: directory,
          authFile: "/none",
          insecureRegistries: [],
        },
        host,
      ),
      kataDirectory: directory,
      layerDirectory: join(directory, "layers"),
      copyDirectory: join(directory, "copies"),
      pauseBundle: join(directory, "no-pause"),
      ownPauseBundle: join(directory, "pause"),
    };
  }

  test("are copied, and a warning says why", async ({ signal }) => {
    const calls: string[] = [];
    const warnings: string[] = [];
    const run: Run = async (program, args) => {
      calls.push([program, ...args].join(" ").replaceAll(directory, ""));
      if (program === "/umoci") await mkdir(args.at(-1) ?? "");
      if (args.includes("overlay"))
        throw new CommandError("mount: too many levels", { exitCode: 32, cause: undefined });
      return "";
    };
    const source = `oci:${directory}/layout:1`;
    await mkdir(join(directory, "layout"));
    await writeLayout(join(directory, "layout"), { config: {} });
    const item = storage({ driver: "image_guest_pull", source, mountPoint: join(directory, "c", "rootfs") });
    const attached = await attachStorage(item, context(run, warnings), signal);
    expect(calls.map((call) => call.split(" ")[0])).toEqual(["/umoci", "/mount", "/cp", "/mount"]);
    expect(calls.at(-1)).toMatch(/^\/mount -o bind \/copies\/.* \/c\/rootfs$/);
    expect(warnings.join()).toContain("too many levels");
    await attached.detach?.(signal);
  });
});
