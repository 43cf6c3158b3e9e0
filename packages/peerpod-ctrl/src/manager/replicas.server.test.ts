import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { missingBinaries, prepareBinaries } from "@peerpods/test-cluster";
import { freePort, startProcess, until } from "@peerpods/test-harness";
import { createFakeCloud } from "@peerpods/cloud-providers/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LEASE_NAME } from "../api/names.ts";
import { configMaps, leases } from "../kubernetes/core.ts";
import { resource } from "../kubernetes/resource.ts";
import { startPeerPodCluster, type PeerPodCluster } from "../testing/cluster.ts";
import { serveCloud, type CloudServer } from "../testing/cloud-server.ts";
import { createHand, type Hand } from "../testing/scenario.ts";

const missing = await missingBinaries();
const soak = process.env["PEERPODS_SOAK"] === "1";
const replica = fileURLToPath(new URL("../testing/replica.ts", import.meta.url));

describe.skipIf(missing !== undefined)(`replicas${missing === undefined ? "" : ` (${missing})`}`, () => {
  const cloud = createFakeCloud();
  let api: PeerPodCluster;
  let hand: Hand;
  let server: CloudServer;
  let dir: string;

  beforeAll(async () => {
    await prepareBinaries();
    dir = await mkdtemp(join(tmpdir(), "peerpod-ctrl-replicas-"));
    api = await startPeerPodCluster({ users: { controller: ["system:masters"] } });
    hand = await createHand(api, cloud);
    server = await serveCloud(hand.provider);
    await writeFile(`${dir}/kubeconfig`, api.cluster.kubeconfig("controller"));
    await resource(api.kube, configMaps).create(
      { metadata: { name: "peer-pods-cm" }, data: { CLOUD_URL: server.url } },
      { namespace: "default" },
    );
  }, 1_800_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await api?.[Symbol.asyncDispose]();
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
  });

  async function start(name: string, args: readonly string[] = ["--leader-elect"]) {
    const health = `127.0.0.1:${await freePort()}`;
    const metrics = `127.0.0.1:${await freePort()}`;
    const logFile = `${dir}/${name}.log`;
    const child = await startProcess(
      process.execPath,
      [
        "--conditions=@peerpods/source",
        replica,
        `--kubeconfig=${dir}/kubeconfig`,
        "--namespace=default",
        "--cluster-id=c1",
        `--state-dir=${dir}/${name}`,
        `--health-probe-bind-address=${health}`,
        `--metrics-bind-address=${metrics}`,
        "--sweep-interval=0s",
        ...args,
      ],
      { logFile },
    );
    const ask = async (address: string, path: string) => {
      const answer = await fetch(`http://${address}${path}`);
      return { status: answer.status, text: await answer.text() };
    };
    return {
      ...child,
      log: () => readFile(logFile, "utf8"),
      readyz: () => ask(health, "/readyz"),
      healthz: () => ask(health, "/healthz"),
      metrics: async () => (await ask(metrics, "/metrics")).text,
    };
  }

  const lease = () => resource(api.kube, leases).get({ namespace: "default", name: LEASE_NAME });
  const remaining = async () => (await api.peerPods.list({ namespace: "default" })).items.length;
  async function makePods(prefix: string, count: number): Promise<void> {
    const names = Array.from({ length: count }, (_, n) => `${prefix}-${n}`);
    for (let at = 0; at < count; at += 20)
      await Promise.all(names.slice(at, at + 20).map((name) => hand.peerPod({ name, namespace: "default" })));
  }
  async function deleteAll(): Promise<void> {
    const { items } = await api.peerPods.list({ namespace: "default" });
    for (let at = 0; at < items.length; at += 20)
      await Promise.all(
        items
          .slice(at, at + 20)
          .map(({ metadata: { name, uid } }) => api.peerPods.delete({ namespace: "default", name }, { uid })),
      );
  }

  it("a leader killed at work is followed by the other, which finishes; told to end, it releases the lease", async () => {
    const count = soak ? 100 : 40;
    await makePods("kill", count);
    cloud.latencyMs = 200;
    await using first = await start("first");
    await until("first leads", async () => (await first.readyz()).text.includes("leading"), {
      timeoutMs: 60_000,
    });
    await using second = await start("second");
    await until("second stands by", async () => (await second.readyz()).text.includes("standing by"), {
      timeoutMs: 60_000,
    });
    await deleteAll();
    await until("half is done", async () => (await remaining()) <= count / 2, {
      timeoutMs: 60_000,
      everyMs: 10,
    });
    first.kill("SIGKILL");
    await first.ended;
    expect(await remaining()).toBeGreaterThan(0);
    await until("the second finishes", async () => (await remaining()) === 0, { timeoutMs: 120_000 });
    cloud.latencyMs = 0;
    expect(cloud.count()).toEqual({ instances: 0, interfaces: 0, disks: 0, addresses: 0 });
    expect((await second.readyz()).text).toContain("leading");
    expect(await second.metrics()).toMatch(/^peerpod_ctrl_reconciles_total\{outcome="done"\} [1-9]/m);

    await second.stop({ graceMs: 60_000 });
    expect(await second.ended).toBe(0);
    expect((await lease()).spec?.holderIdentity ?? "").toBe("");
    await using third = await start("third");
    await until(
      "third leads without waiting for the lease",
      async () => (await third.readyz()).text.includes("leading"),
      { timeoutMs: 14_000 },
    );
  }, 300_000);

  it(`${soak ? 1_000 : 100} PeerPods deleted at once: all gone in time, each instance deleted once, with few requests`, async () => {
    const count = soak ? 1_000 : 100;
    await makePods("mass", count);
    cloud.latencyMs = 200;
    const before = server.deletions.length;
    await using only = await start("only", []);
    await until("ready", async () => (await only.readyz()).status === 200, { timeoutMs: 60_000 });
    const asked = (await requestsOfController()).length;
    const began = performance.now();
    await deleteAll();
    await until("all gone", async () => (await remaining()) === 0, { timeoutMs: 240_000, everyMs: 250 });
    const seconds = (performance.now() - began) / 1_000;
    cloud.latencyMs = 0;
    expect(cloud.count().instances).toBe(0);
    expect(server.deletions.length - before).toBe(count);
    const requests = (await requestsOfController()).length - asked;
    expect(requests / count).toBeLessThan(1.2);
    const rssMiB =
      Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${only.pid}/status`, "utf8"))?.[1]) / 1_024;
    // The figures of the report.
    process.stdout.write(
      `${count} PeerPods: ${seconds.toFixed(1)} s, ${requests} requests of the controller, peak ${rssMiB.toFixed(0)} MiB\n`,
    );
    // The share that runs always has the same rate to keep; start-up of a loaded machine is allowed for.
    expect(seconds).toBeLessThan(soak ? 90 : 60);
    expect((await only.healthz()).status).toBe(200);
  }, 600_000);

  it("fails its readiness, and not its liveness, while the API server is away", async () => {
    await using only = await start("away");
    await until("ready", async () => (await only.readyz()).status === 200, { timeoutMs: 60_000 });
    await api.cluster.pause();
    // The lease cannot be renewed, so it gives up leading and ends: another replica, or its restart, goes on.
    expect(await only.ended).toBe(1);
    expect(await only.log()).toContain("leader election lost");
    await using next = await start("next");
    await until("it answers", async () => (await next.readyz()).status === 503, { timeoutMs: 60_000 });
    expect((await next.healthz()).status).toBe(200);
    await api.cluster.resume();
    await until("ready again", async () => (await next.readyz()).status === 200, { timeoutMs: 60_000 });
  }, 300_000);

  async function requestsOfController() {
    const log = await api.cluster.auditLog();
    return log.filter(
      ({ user, objectRef, verb }) =>
        user.username === "controller" &&
        objectRef?.resource !== "events" &&
        verb !== "watch" &&
        objectRef?.resource !== "leases",
    );
  }
});
