import { daemonRules } from "../../manager/daemon-rules.ts";
import { slot } from "../slot.ts";
import { tokenMounts, tokenVolumes } from "./cloud-tokens.ts";
import { configChecksum } from "./config-checksum.ts";
import type { Part } from "./kube-object.ts";
import {
  configMapName,
  DAEMON_ACCOUNT,
  DAEMON_NAME,
  namespace,
  provider,
  secretName,
  sshSecretName,
  tlsSecretName,
} from "./names.ts";
import { adaptorImage, hostPath, onEveryWorker, podLabels, RUN_DIRECTORY } from "./node-pod.ts";
import { bindings, serviceAccount } from "./permissions.ts";

const labels = { app: DAEMON_ACCOUNT };
const STATE_DIRECTORY = "/var/lib/peerpods";
const PROBE_PORT = 8000;

/** The daemon: its account, what it may do, and its DaemonSet. */
export const adaptor: readonly Part[] = [
  serviceAccount(DAEMON_ACCOUNT, {
    labels,
    annotations: slot(
      ".Values.daemonset.serviceAccount.annotations",
      ({ values }) => values.daemonset.serviceAccount.annotations,
    ),
  }),
  ...bindings(
    { role: DAEMON_ACCOUNT, binding: DAEMON_ACCOUNT, account: DAEMON_ACCOUNT, labels },
    { cluster: daemonRules, own: [] },
  ),
  {
    object: {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: DAEMON_NAME, namespace, labels },
      spec: {
        selector: { matchLabels: labels },
        updateStrategy: {
          type: "RollingUpdate",
          rollingUpdate: slot(
            ".Values.daemonset.updateStrategy",
            ({ values }) => values.daemonset.updateStrategy,
          ),
        },
        template: {
          metadata: {
            labels: podLabels(
              labels,
              slot(".Values.daemonset.podLabels", ({ values }) => values.daemonset.podLabels),
            ),
            annotations: { "confidentialcontainers.org/config": configChecksum },
          },
          spec: {
            ...onEveryWorker,
            serviceAccountName: DAEMON_ACCOUNT,
            // Provider local needs it: its VMs are processes of the node.
            hostPID: slot(".Values.daemonset.hostPID", ({ values }) => values.daemonset.hostPID),
            containers: [container()],
            volumes: volumes(),
          },
        },
      },
    },
  },
];

function container() {
  const httpGet = (path: string) => ({ host: "127.0.0.1", port: PROBE_PORT, path });
  return {
    name: "cloud-api-adaptor-con",
    ...adaptorImage,
    command: ["cloud-api-adaptor"],
    args: [provider],
    env: [
      { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      { name: "POD_UID", valueFrom: { fieldRef: { fieldPath: "metadata.uid" } } },
      { name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      { name: "PROBE_PORT", value: String(PROBE_PORT) },
      { name: "PEERPODS_STATE_DIR", value: STATE_DIRECTORY },
      // The relay is the other DaemonSet's: one that the daemon starts itself would end with its container.
      { name: "PEERPODS_RELAY_LAUNCH", value: "false" },
      // What glibc's allocator may keep at the end of each of its heaps. Its own choice is twice the largest piece freed so far.
      { name: "MALLOC_TRIM_THRESHOLD_", value: "131072" },
      {
        name: "RUNTIMECLASS_NAME",
        value: slot(".Values.runtimeClass.name", ({ values }) => values.runtimeClass.name),
      },
    ],
    // The later source wins: a key in both counts from the Secret, as it does for the controller.
    envFrom: [{ configMapRef: { name: configMapName } }, { secretRef: { name: secretName, optional: true } }],
    startupProbe: { httpGet: httpGet("/startup"), periodSeconds: 2, failureThreshold: 150 },
    livenessProbe: { httpGet: httpGet("/livez"), periodSeconds: 20, timeoutSeconds: 5, failureThreshold: 6 },
    readinessProbe: { httpGet: httpGet("/readyz"), periodSeconds: 10, timeoutSeconds: 5 },
    resources: slot(".Values.daemonset.resources", ({ values }) => values.daemonset.resources),
    securityContext: {
      privileged: slot(".Values.daemonset.privileged", ({ values }) => values.daemonset.privileged),
      readOnlyRootFilesystem: true,
      // Links and tunnels; entering the pods' network namespaces.
      capabilities: { drop: ["ALL"], add: ["NET_ADMIN", "SYS_ADMIN"] },
    },
    volumeMounts: [
      { name: "run", mountPath: RUN_DIRECTORY },
      { name: "state", mountPath: STATE_DIRECTORY },
      { name: "netns", mountPath: "/run/netns", mountPropagation: "HostToContainer" },
      { name: "tmp", mountPath: "/tmp" },
      { name: "ssh", mountPath: "/root/.ssh", readOnly: true },
      { name: "certificates", mountPath: "/etc/certificates", readOnly: true },
      ...tokenMounts,
    ],
  };
}

function volumes() {
  return [
    hostPath("run", RUN_DIRECTORY, "DirectoryOrCreate"),
    hostPath("state", STATE_DIRECTORY, "DirectoryOrCreate"),
    hostPath("netns", "/run/netns", "DirectoryOrCreate"),
    { name: "tmp", emptyDir: {} },
    { name: "ssh", secret: { secretName: sshSecretName, defaultMode: 0o600, optional: true } },
    { name: "certificates", secret: { secretName: tlsSecretName, defaultMode: 0o600, optional: true } },
    ...tokenVolumes,
  ];
}
