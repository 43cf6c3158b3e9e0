import { slot } from "../slot.ts";
import type { Part } from "./kube-object.ts";
import { namespace, RELAY_ACCOUNT, RELAY_NAME } from "./names.ts";
import { adaptorImage, hostPath, onEveryWorker, podLabels, RUN_DIRECTORY } from "./node-pod.ts";
import { serviceAccount } from "./permissions.ts";

const labels = { app: RELAY_ACCOUNT };
const socket = `${RUN_DIRECTORY}/relay.sock`;
const DIRECT_VOLUMES = "/run/kata-containers/shared/direct-volumes";
/** Connects and leaves; only Node is in the image. */
const isListening = `require("net").connect(${JSON.stringify(socket)}).on("connect",()=>process.exit(0)).on("error",()=>process.exit(1))`;

/**
 * The relay: a DaemonSet of its own, so that updating the daemon never ends a pod. Whoever ends the relay ends the peer
 * pods of its node, so nothing does by itself: it is updated when its pod is deleted (after a drain), it has no liveness
 * probe, and it asks the API server for nothing.
 */
export const relay: readonly Part[] = [
  serviceAccount(RELAY_ACCOUNT, { labels }),
  {
    object: {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: RELAY_NAME, namespace, labels },
      spec: {
        selector: { matchLabels: labels },
        updateStrategy: { type: "OnDelete" },
        template: {
          metadata: {
            labels: podLabels(
              labels,
              slot(".Values.relay.podLabels", ({ values }) => values.relay.podLabels),
            ),
          },
          spec: {
            ...onEveryWorker,
            serviceAccountName: RELAY_ACCOUNT,
            automountServiceAccountToken: false,
            containers: [container()],
            volumes: [
              hostPath("run", RUN_DIRECTORY, "DirectoryOrCreate"),
              hostPath("direct-volumes", DIRECT_VOLUMES, "DirectoryOrCreate"),
            ],
          },
        },
      },
    },
  },
];

function container() {
  const exec = { command: ["node", "-e", isListening] };
  return {
    name: "agent-relay",
    ...adaptorImage,
    command: ["agent-relay"],
    // It is there as long as the node is, with or without pods.
    args: [`--socket=${socket}`, "--idle-timeout=0", `--direct-volumes-dir=${DIRECT_VOLUMES}`],
    // It keeps next to nothing of what passes, so a large young heap would only fill memory with garbage.
    env: [{ name: "NODE_OPTIONS", value: "--max-semi-space-size=2" }],
    startupProbe: { exec, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 30 },
    readinessProbe: { exec, periodSeconds: 60, timeoutSeconds: 10 },
    resources: slot(".Values.relay.resources", ({ values }) => values.relay.resources),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      // It is root only because the sockets are root's.
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
    volumeMounts: [
      { name: "run", mountPath: RUN_DIRECTORY },
      { name: "direct-volumes", mountPath: DIRECT_VOLUMES, readOnly: true },
    ],
  };
}
