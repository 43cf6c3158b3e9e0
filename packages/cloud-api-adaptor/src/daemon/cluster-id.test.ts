import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@peerpods/cloud-providers";
import { FakeClock } from "@peerpods/cloud-providers/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openClusterIdentity } from "./cluster-id.ts";
import type { ClusterIdentityOptions } from "./cluster-id.ts";

const uid = "5f1c2b3a-0000-4000-8000-00000000beef";
let dir: string;
let clock: FakeClock;

beforeEach(async () => {
  clock = new FakeClock();
  dir = await mkdtemp(join(tmpdir(), "ppc-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

const open = (change: Partial<ClusterIdentityOptions> = {}) =>
  openClusterIdentity({ setting: "", stateDir: dir, clock, logger: silentLogger, ...change });
const away = () => Promise.reject(new Error("connection refused"));
const uuid = /^[0-9a-f-]{36}$/;

describe("the cluster id", () => {
  it("is the setting, before all else", async () => {
    await using id = await open({ setting: "prod-1", ask: async () => uid });
    expect(id.current()).toBe("prod-1");
  });

  it("is made once and kept when there is no setting and no cluster", async () => {
    const made = (await open()).current();
    expect(made).toMatch(uuid);
    expect((await open()).current()).toBe(made);
    expect((await stat(join(dir, "cluster-id"))).mode & 0o777).toBe(0o600);
  });

  it.each(["a b", "-x", "x".repeat(200), "a;b"])("refuses %j, which could not be a tag", async (setting) => {
    await expect(open({ setting })).rejects.toThrow("cluster-id:");
  });

  it("is what the cluster says, and stays so while the API server is away", async () => {
    {
      await using id = await open({ ask: async () => uid });
      expect(id.current()).toBe(uid);
    }
    await using later = await open({ ask: away });
    expect(later.current()).toBe(uid);
  });

  it("is made up while the cluster has never answered, the same over restarts, and the cluster's from its first answer", async () => {
    let made: string;
    {
      await using first = await open({ ask: away });
      made = first.current();
      expect(made).toMatch(uuid);
    }
    let ask: () => Promise<string> = away;
    await using second = await open({ ask: () => ask() });
    expect(second.current()).toBe(made);
    ask = async () => uid;
    await clock.advance(120_000);
    await expect.poll(() => second.current()).toBe(uid);
    expect(await readFile(join(dir, "kube-system-uid"), "utf8")).toBe(`${uid}\n`);
  });

  it("that was made before there was a cluster yields to the cluster's", async () => {
    const made = (await open()).current();
    await using id = await open({ ask: async () => uid });
    expect(id.current()).toBe(uid);
    expect(uid).not.toBe(made);
  });

  it("follows when the node has moved to another cluster", async () => {
    await (await open({ ask: async () => "old" }))[Symbol.asyncDispose]();
    await using id = await open({ ask: async () => uid });
    await expect.poll(() => id.current()).toBe(uid);
  });
});
