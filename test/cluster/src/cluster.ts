import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startProcess, until } from "@peerpods/test-harness";
import { etcdBinary, kubernetesBinary } from "./binaries.ts";
import { get } from "./get.ts";

export interface ClusterOptions {
  /** Also run kube-controller-manager (see `controllers` below). Default false. */
  readonly controllerManager?: boolean;
  /** Also run kube-scheduler. Default false. */
  readonly scheduler?: boolean;
  /** Where the API server listens. Default 127.0.0.1. */
  readonly address?: string;
  /** Users besides the administrator, each with the groups it is in; they have no rights until RBAC gives them. */
  readonly users?: Readonly<Record<string, readonly string[]>>;
}

/** An API server of its own, on loopback. Disposal stops everything and removes its files; it can be repeated. */
export interface Cluster extends AsyncDisposable {
  readonly url: string;
  /** PEM of the certificate authority that signed the server's certificate. */
  readonly ca: string;
  /** A kubeconfig for `admin` (all rights, the default) or one of `ClusterOptions.users`. */
  kubeconfig(user?: string): string;
  /** The audit log's entries so far: one per finished request. */
  auditLog(): Promise<readonly AuditEntry[]>;
  /** Stops the API server, as if it were away; `resume` starts it again with the same data. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** The part of an audit.k8s.io/v1 Event that tests count. */
export interface AuditEntry {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
}

/** Starts etcd and kube-apiserver (built on first use, see `missingBinaries`) and waits until they are ready. */
export async function startCluster({
  controllerManager = false,
  scheduler = false,
  address = "127.0.0.1",
  users = {},
}: ClusterOptions = {}): Promise<Cluster> {
  await using parts = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), "peerpods-cluster-"));
  parts.defer(() => rm(dir, { recursive: true, force: true }));

  const [etcdPort, peerPort, apiPort] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const url = `https://${address}:${apiPort}`;
  parts.use(
    await startProcess(
      await etcdBinary(),
      [
        `--data-dir=${dir}/etcd`,
        `--listen-client-urls=${etcdUrl}`,
        `--advertise-client-urls=${etcdUrl}`,
        `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
        "--unsafe-no-fsync",
      ],
      { logFile: `${dir}/etcd.log` },
    ),
  );

  const tokens = await writeCredentials(dir, { admin: ["system:masters"], ...users });
  const startApiServer = async () =>
    startProcess(
      await kubernetesBinary("kube-apiserver"),
      apiServerArguments({ dir, etcdUrl, address, apiPort, controllerManager }),
      {
        logFile: `${dir}/apiserver.log`,
      },
    );
  let apiServer = await startApiServer();
  parts.defer(() => apiServer.stop({ graceMs: 5_000 }));
  const ready = async () => {
    const ca = await until("certificate of the API server", () =>
      readFile(`${dir}/certs/apiserver.crt`, "utf8"),
    );
    await until(
      "API server ready",
      async () => (await get(`${url}/readyz`, ca, tokens["admin"] ?? "")) === 200,
      {
        timeoutMs: 60_000,
      },
    );
    return ca;
  };
  const ca = await ready();
  const kubeconfig = (user = "admin") => {
    const token = tokens[user];
    if (token === undefined) throw new Error(`no user ${user}: name it in ClusterOptions.users`);
    return kubeconfigText({ url, ca, user, token });
  };

  if (controllerManager) {
    await writeFile(`${dir}/controller-manager.kubeconfig`, kubeconfig());
    parts.use(
      await startProcess(
        await kubernetesBinary("kube-controller-manager"),
        [
          `--kubeconfig=${dir}/controller-manager.kubeconfig`,
          "--bind-address=127.0.0.1",
          `--secure-port=${await freePort()}`,
          "--leader-elect=false",
          `--service-account-private-key-file=${dir}/service-account.key`,
          `--controllers=${controllers.join(",")}`,
        ],
        { logFile: `${dir}/controller-manager.log` },
      ),
    );
  }

  if (scheduler) {
    await writeFile(`${dir}/scheduler.kubeconfig`, kubeconfig());
    parts.use(
      await startProcess(
        await kubernetesBinary("kube-scheduler"),
        [
          `--kubeconfig=${dir}/scheduler.kubeconfig`,
          "--bind-address=127.0.0.1",
          `--secure-port=${await freePort()}`,
          "--leader-elect=false",
        ],
        { logFile: `${dir}/scheduler.log` },
      ),
    );
  }

  const owned = parts.move();
  return {
    url,
    ca,
    kubeconfig,
    async auditLog() {
      const text = await readFile(`${dir}/audit.log`, "utf8").catch(() => "");
      return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as AuditEntry]));
    },
    pause: () => apiServer.stop({ graceMs: 3_000 }),
    async resume() {
      apiServer = await startApiServer();
      await ready();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What kube-controller-manager does here: what tests look at, and what that needs. */
const controllers = [
  "garbage-collector-controller",
  "namespace-controller",
  "serviceaccount-controller",
  "daemonset-controller",
  "deployment-controller",
  "replicaset-controller",
  "root-ca-certificate-publisher-controller",
  "node-lifecycle-controller",
];

async function writeCredentials(
  dir: string,
  users: Readonly<Record<string, readonly string[]>>,
): Promise<Record<string, string>> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(`${dir}/service-account.key`, privateKey.export({ type: "pkcs1", format: "pem" }), {
    mode: 0o600,
  });
  await writeFile(
    `${dir}/audit-policy.yaml`,
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived, ResponseStarted]\nrules: [{ level: Metadata }]\n",
  );
  const tokens = Object.fromEntries(
    Object.keys(users).map((user) => [user, randomBytes(24).toString("hex")]),
  );
  const lines = Object.entries(users).map(
    ([user, groups]) => `${tokens[user]},${user},${user},"${groups.join(",")}"`,
  );
  await writeFile(`${dir}/tokens.csv`, `${lines.join("\n")}\n`, { mode: 0o600 });
  return tokens;
}

function apiServerArguments(options: {
  dir: string;
  etcdUrl: string;
  address: string;
  apiPort: number;
  controllerManager: boolean;
}): string[] {
  const { dir, etcdUrl, address, apiPort, controllerManager } = options;
  return [
    `--etcd-servers=${etcdUrl}`,
    `--secure-port=${apiPort}`,
    `--bind-address=${address}`,
    "--allow-privileged=true",
    "--kubelet-preferred-address-types=InternalIP",
    `--cert-dir=${dir}/certs`,
    `--service-account-key-file=${dir}/service-account.key`,
    `--service-account-signing-key-file=${dir}/service-account.key`,
    "--service-account-issuer=https://kubernetes.default.svc",
    "--authorization-mode=Node,RBAC",
    `--token-auth-file=${dir}/tokens.csv`,
    "--service-cluster-ip-range=10.96.0.0/16",
    `--audit-log-path=${dir}/audit.log`,
    `--audit-policy-file=${dir}/audit-policy.yaml`,
    // Without a service account controller no pod could be created: its default account never appears.
    ...(controllerManager ? [] : ["--disable-admission-plugins=ServiceAccount"]),
  ];
}

function kubeconfigText({
  url,
  ca,
  user,
  token,
}: {
  url: string;
  ca: string;
  user: string;
  token: string;
}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [
      {
        name: "test",
        cluster: { server: url, "certificate-authority-data": Buffer.from(ca).toString("base64") },
      },
    ],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user } }],
  });
}
