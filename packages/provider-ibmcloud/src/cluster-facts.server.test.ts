import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@peerpods/cloud-providers";
import { testRequest, timedCall } from "@peerpods/cloud-providers/testing";
import { startIbmcloudStandIn, type IbmcloudStandIn } from "@peerpods/ibmcloud-stand-in";
import { missingBinaries, startCluster, type Cluster } from "@peerpods/test-cluster";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { InCluster } from "./kubernetes.ts";
import { connect } from "./testing/connect.ts";

const missing = await missingBinaries();

/** The real API server tells what a worker node of the Kubernetes Service tells. */
describe.skipIf(missing !== undefined)(`in a cluster${missing === undefined ? "" : ` (${missing})`}`, () => {
  const parts = new AsyncDisposableStack();
  let cluster: Cluster;
  let standIn: IbmcloudStandIn;
  let directory = "";

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "peerpods-ibmcloud-"));
    parts.defer(async () => await rm(directory, { recursive: true, force: true }));
    standIn = parts.use(await startIbmcloudStandIn());
    cluster = parts.use(await startCluster({ users: { stranger: [] } }));
    const { account } = standIn;
    await create("/api/v1/nodes", {
      metadata: {
        name: "worker-1",
        labels: {
          "topology.kubernetes.io/region": account.region,
          "topology.kubernetes.io/zone": account.zone,
          "ibm-cloud.kubernetes.io/subnet-id": account.subnet,
        },
      },
    });
    await create("/api/v1/namespaces/kube-system/configmaps", {
      metadata: { name: "cluster-info" },
      data: { "cluster-config.json": JSON.stringify({ cluster_id: account.clusterId }) },
    });
  });
  afterAll(async () => await parts.disposeAsync());

  const tokenOf = (user: string) =>
    (
      JSON.parse(cluster.kubeconfig(user)) as {
        readonly users: readonly [{ readonly user: { readonly token: string } }];
      }
    ).users[0].user.token;

  async function create(path: string, object: object): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const headers = { authorization: `Bearer ${tokenOf("admin")}`, "content-type": "application/json" };
    const sent = httpsRequest(
      `${cluster.url}${path}`,
      { method: "POST", ca: cluster.ca, headers },
      (answer) => {
        answer.resume().on("end", () => resolve(answer.statusCode));
      },
    );
    sent.on("error", reject);
    sent.end(JSON.stringify(object));
    expect(await promise).toBe(201);
  }

  /** As a pod on worker-1 sees its API server. */
  async function inCluster(user: string): Promise<InCluster> {
    const serviceAccount = await mkdtemp(join(directory, "account-"));
    await writeFile(join(serviceAccount, "token"), tokenOf(user));
    await writeFile(join(serviceAccount, "ca.crt"), cluster.ca);
    const { hostname: host, port } = new URL(cluster.url);
    return { host, port, nodeName: "worker-1", serviceAccount };
  }

  const open = { IBMCLOUD_VPC_SUBNET_ID: "" };

  it("takes subnet and zone from the node, and the security group from the cluster", async () => {
    const provider = await connect(standIn, {
      env: open,
      effects: { pollMs: 5, cluster: await inCluster("admin") },
    });
    onTestFinished(async () => await provider.teardown());
    using call = timedCall(systemClock, { timeoutMs: 30_000 });
    await provider.createInstance(testRequest({ sandboxId: "labelled" }), call);
    const { account, calls } = standIn;
    expect(calls.find(({ action }) => action === "create_instance")?.body).toMatchObject({
      zone: { name: account.zone },
      primary_network_interface: {
        subnet: { id: account.subnet },
        security_groups: [{ id: account.securityGroup }, { id: account.clusterSecurityGroup }],
      },
    });
  });

  it("goes without them where they may not be read, and says which option is then missing", async () => {
    const logged: string[] = [];
    const provider = await connect(standIn, {
      env: open,
      logged,
      effects: { pollMs: 5, cluster: await inCluster("stranger") },
    });
    onTestFinished(async () => await provider.teardown());
    using call = timedCall(systemClock, { timeoutMs: 30_000 });
    await expect(provider.createInstance(testRequest({ sandboxId: "unlabelled" }), call)).rejects.toThrow(
      /primary-subnet-id \(IBMCLOUD_VPC_SUBNET_ID\): missing/,
    );
    expect(logged.join("\n")).toMatch(/nodes\/worker-1: the API server answers 403/);
  });
});
