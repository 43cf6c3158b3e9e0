import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "@peerpods/cloud-providers";
import { createKubeClient, createPeerPodClient, loadKubeConfig } from "@peerpods/peerpod-ctrl";
import type { EventText, KubeClient } from "@peerpods/peerpod-ctrl";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxRecord } from "../sandbox/record.ts";
import { createRequest, patient, sandboxId, World } from "../sandbox/testing/world.ts";
import { PeerPodKeeper } from "./peerpod-keeper.ts";
import { createPodLookup } from "./pod-lookup.ts";
import { createPullSecrets } from "./pull-secrets.ts";

/** Takes connections and says nothing, as a server behind a firewall that drops. */
let server: Server;
const sockets = new Set<Socket>();
let dir: string;
let kube: KubeClient;
let record: SandboxRecord;

beforeAll(async () => {
  server = createServer((socket) => void sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  dir = await mkdtemp(join(tmpdir(), "ppq-"));
  await writeFile(
    join(dir, "kubeconfig"),
    JSON.stringify({
      "current-context": "c",
      clusters: [{ name: "s", cluster: { server: url, "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "c", context: { cluster: "s", user: "u" } }],
    }),
  );
  kube = createKubeClient(loadKubeConfig(join(dir, "kubeconfig"), {}));
  await using world = new World();
  const daemon = await world.daemon();
  await daemon.create(createRequest(), patient);
  await daemon.start(sandboxId, patient);
  record = daemon.list()[0]!.record;
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await rm(dir, { recursive: true });
});

describe("an API server that does not answer", () => {
  it("costs a pod its pull secrets and a limited time, and the Pod is told", async () => {
    const told: EventText[] = [];
    const pullSecrets = createPullSecrets(kube, {
      lookup: createPodLookup(kube, { nodeName: "" }),
      teller: { tell: (_, text) => void told.push(text), flush: async () => undefined },
      logger: silentLogger,
      timeoutMs: 200,
    });
    expect(await pullSecrets.authJson(record, patient)).toBeUndefined();
    expect(told).toMatchObject([{ type: "Warning", reason: "PullSecretsUnread" }]);
    expect(told[0]?.message).toContain("not within 200 ms; the pod starts without");
  });

  const keep = () =>
    new PeerPodKeeper({
      peerPods: createPeerPodClient(kube),
      lookup: createPodLookup(kube, { nodeName: "" }),
      cloudProvider: "fake",
      clock: systemClock,
      now: () => systemClock.now(),
      logger: silentLogger,
      onProblem: () => undefined,
      intentTimeoutMs: 200,
    });

  it("does not keep the cloud from being asked", async () => {
    await using keeper = keep();
    await keeper.intended(record, patient);
    expect(keeper.peerPodOf(sandboxId)).toBeUndefined();
  });

  it("does not hold up a caller who has left, nor the end of the daemon", async () => {
    const keeper = keep();
    const left = new AbortController();
    const intended = keeper.intended(record, left);
    left.abort(new Error("hung up"));
    await expect(intended).rejects.toThrow("hung up");
    const release = keeper.release(record, { signal: AbortSignal.timeout(100) });
    await expect(release).rejects.toThrow("timeout");
    await keeper[Symbol.asyncDispose]();
    await keeper[Symbol.asyncDispose]();
  });
});
