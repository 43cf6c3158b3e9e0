import { clusterRules, namespacedRules } from "../../manager/rbac-rules.ts";
import { slot, type Condition } from "../slot.ts";
import type { Part } from "./kube-object.ts";
import { configMapName, imagePullSecrets, namespace, secretName, sshSecretName } from "./names.ts";
import { bindings, serviceAccount } from "./permissions.ts";

const enabled: Condition = slot(".Values.resourceCtrl.enabled", ({ values }) => values.resourceCtrl.enabled);
const named = (suffix: string) =>
  slot(
    `printf "%s${suffix}" .Values.resourceCtrl.namePrefix`,
    ({ values }) => `${values.resourceCtrl.namePrefix}${suffix}`,
  );
const account = named("controller-manager");
const labels = { "app.kubernetes.io/part-of": "peerpodctrl", "control-plane": "controller-manager" };
/** The user that "nonroot" is in images without a shell. */
const NONROOT = 65_532;

/** Two replicas on one node would end together. */
const apart = {
  weight: 100,
  podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: labels } },
};

/** The controller: its account, what it may do, and its Deployment. */
export const controller: readonly Part[] = [
  serviceAccount(account, {
    labels,
    annotations: slot(
      ".Values.resourceCtrl.serviceAccount.annotations",
      ({ values }) => values.resourceCtrl.serviceAccount.annotations,
    ),
  }),
  ...bindings(
    { role: named("manager-role"), binding: named("manager-rolebinding"), account, labels },
    { cluster: clusterRules, own: namespacedRules({ secret: secretName }) },
  ),
  {
    object: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: account, namespace, labels },
      spec: {
        replicas: slot(".Values.resourceCtrl.replicas", ({ values }) => values.resourceCtrl.replicas),
        selector: { matchLabels: labels },
        template: {
          metadata: {
            labels: slot(
              `merge (dict ${Object.entries(labels)
                .flat()
                .map((word) => JSON.stringify(word))
                .join(" ")}) .Values.resourceCtrl.podLabels`,
              ({ values }) => ({ ...values.resourceCtrl.podLabels, ...labels }),
            ),
          },
          spec: podSpec(),
        },
      },
    },
  },
].map((part) => ({ ...part, when: enabled }));

function podSpec() {
  return {
    serviceAccountName: account,
    imagePullSecrets,
    nodeSelector: { "kubernetes.io/os": "linux" },
    priorityClassName: "system-cluster-critical",
    // Longer than the program's own time to stop, so that it is never killed within a deletion.
    terminationGracePeriodSeconds: 30,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: NONROOT,
      runAsGroup: NONROOT,
      fsGroup: NONROOT,
      seccompProfile: { type: "RuntimeDefault" },
    },
    affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [apart] } },
    containers: [container()],
    volumes: [
      { name: "state", emptyDir: {} },
      { name: "ssh", secret: { secretName: sshSecretName, defaultMode: 0o440, optional: true } },
    ],
  };
}

function container() {
  const httpGet = (path: string) => ({ path, port: "health" });
  return {
    name: "manager",
    image: slot(
      'printf "%s:%s" .Values.resourceCtrl.image.repository (default .Chart.AppVersion .Values.resourceCtrl.image.tag)',
      ({ values: { resourceCtrl }, version }) =>
        `${resourceCtrl.image.repository}:${resourceCtrl.image.tag === "" ? version : resourceCtrl.image.tag}`,
    ),
    imagePullPolicy: slot(
      ".Values.resourceCtrl.image.pullPolicy",
      ({ values }) => values.resourceCtrl.image.pullPolicy,
    ),
    args: [
      "--leader-elect",
      `--config-map=${configMapName}`,
      slot(`printf "--secret=%s" (${secretName.helm})`, (facts) => `--secret=${secretName.read(facts)}`),
      slot('printf "--cluster-id=%s" .Values.clusterId', ({ values }) => `--cluster-id=${values.clusterId}`),
    ],
    env: [
      { name: "PEERPODS_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      { name: "HOME", value: "/home/nonroot" },
    ],
    ports: [
      { name: "metrics", containerPort: 8080 },
      { name: "health", containerPort: 8081 },
    ],
    startupProbe: { httpGet: httpGet("/healthz"), periodSeconds: 2, failureThreshold: 60 },
    livenessProbe: { httpGet: httpGet("/healthz"), periodSeconds: 20 },
    readinessProbe: { httpGet: httpGet("/readyz"), periodSeconds: 10 },
    resources: slot(".Values.resourceCtrl.resources", ({ values }) => values.resourceCtrl.resources),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [
      { name: "state", mountPath: "/tmp" },
      { name: "ssh", mountPath: "/home/nonroot/.ssh", readOnly: true },
    ],
  };
}
