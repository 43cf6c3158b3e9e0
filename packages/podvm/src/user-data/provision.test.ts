import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserDataError } from "./errors.ts";
import { provisionFiles } from "./provision.ts";
import { localSource } from "./sources/local.ts";
import { noCloudSource } from "./sources/no-cloud.ts";
import type { UserDataSource } from "./sources/index.ts";
import { writeGuestFiles } from "./write-files.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "provision-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const logger = pino({ level: "silent" });
const document = (content: string) =>
  `#cloud-config\n\nwrite_files:\n  - path: /run/peerpod/apf.json\n    content: |\n      ${content}\n`;

async function provide(text: string): Promise<void> {
  await mkdir(join(root, "media/cidata"), { recursive: true });
  await writeFile(join(root, "media/cidata/user-data"), text);
}

function provision(
  sources: readonly UserDataSource[],
  signal: AbortSignal = AbortSignal.timeout(10_000),
): Promise<void> {
  return provisionFiles({ sources, root, logger, retryDelayMs: 1 }, { signal });
}

const written = () =>
  readdir(join(root, "run/peerpod")).then(
    (names) => names.sort(),
    () => [],
  );
const modeOf = async (name: string) =>
  ((await stat(join(root, "run/peerpod", name))).mode & 0o777).toString(8);

describe("files", () => {
  it("are in place with modes that keep secrets to root, and can be written again", async () => {
    await provide(`${document('{"pod-name": "a"}')}  - path: /run/peerpod/auth.json\n    content: "{}"\n`);
    await provision([localSource(root)]);
    await provide(document('{"pod-name": "b"}'));
    await provision([localSource(root)]);
    expect(await written()).toEqual(["aa.toml", "apf.json", "auth.json", "initdata", "initdata.digest"]);
    expect(await readFile(join(root, "run/peerpod/apf.json"), "utf8")).toBe('{"pod-name": "b"}\n');
    expect(await readFile(join(root, "run/peerpod/initdata.digest"), "utf8")).toMatch(/^[0-9a-f]{64}$/);
    expect([await modeOf("apf.json"), await modeOf("auth.json"), await modeOf("aa.toml")]).toEqual([
      "600",
      "600",
      "644",
    ]);
  });

  it("are the default ones when there is no source", async () => {
    await provision([localSource(root)]);
    expect(await written()).toEqual(["aa.toml", "initdata", "initdata.digest"]);
  });

  it.each([
    ["user data that is no cloud-config", "runcmd: [x]"],
    ["an apf.json that cannot be used", document("[")],
  ])("are not written at all for %s", async (_what, text) => {
    await provide(text);
    await expect(provision([localSource(root)])).rejects.toBeInstanceOf(UserDataError);
    expect(await written()).toEqual([]);
  });

  it("are all or none when one cannot be written", async () => {
    await mkdir(join(root, "run/peerpod"), { recursive: true });
    await writeFile(join(root, "run/blocked"), "");
    const files = new Map([
      ["/run/peerpod/apf.json", "{}"],
      ["/run/blocked/file", "x"],
    ]);
    await expect(writeGuestFiles(files, root)).rejects.toMatchObject({ code: "write_failed" });
    expect(await written()).toEqual([]);
  });
});

describe("sources", () => {
  const sourceOf = (read: UserDataSource["read"]): UserDataSource => ({
    name: "test",
    detect: async () => true,
    read,
  });

  it("are asked again while they do not answer", async () => {
    let attempts = 0;
    const source = sourceOf(async () => {
      attempts += 1;
      if (attempts < 3) throw new UserDataError("unavailable", "not yet");
      return Buffer.from(document("{}"));
    });
    await provision([source]);
    expect(attempts).toBe(3);
    expect(await written()).toContain("apf.json");
  });

  it("are given up at the time limit, with the last reason", async () => {
    const source = sourceOf(async () => {
      throw new UserDataError("unavailable", "not yet");
    });
    await expect(provision([source], AbortSignal.timeout(20))).rejects.toThrow(
      "not yet; gave up at the time limit",
    );
    expect(await written()).toEqual([]);
  });

  it("are not asked again for wrong contents", async () => {
    let attempts = 0;
    const source = sourceOf(async () => {
      attempts += 1;
      return Buffer.from("runcmd: []");
    });
    await expect(provision([source])).rejects.toMatchObject({ code: "invalid_user_data" });
    expect(attempts).toBe(1);
  });

  it("count in their order", async () => {
    await provide(document('{"pod-name": "local"}'));
    const never = sourceOf(() => Promise.reject(new Error("must not be read")));
    await provision([localSource(root), never]);
    expect(await readFile(join(root, "run/peerpod/apf.json"), "utf8")).toContain("local");
  });

  it("unmount the cidata volume also when it cannot be read", async () => {
    const calls: string[] = [];
    const device = join(root, "cidata");
    await writeFile(device, "");
    const source = noCloudSource({
      devices: [join(root, "missing"), device],
      mounter: {
        mount: async (from) => void calls.push(`mount ${from === device}`),
        unmount: async () => void calls.push("unmount"),
      },
    });
    expect(await source.detect({ signal: AbortSignal.timeout(1000) })).toBe(true);
    await expect(source.read({ signal: AbortSignal.timeout(1000) })).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(calls).toEqual(["mount true", "unmount"]);
  });
});
