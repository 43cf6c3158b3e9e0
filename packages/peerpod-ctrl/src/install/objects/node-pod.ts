import { slot, type Slot } from "../slot.ts";
import { imagePullSecrets } from "./names.ts";

/** What the two DaemonSets of a node have in common. */

export const RUN_DIRECTORY = "/run/peerpod";

export const adaptorImage = {
  image: slot(
    'printf "%s:%s" .Values.image.name (default .Chart.AppVersion .Values.image.tag)',
    ({ values: { image }, version }) => `${image.name}:${image.tag === "" ? version : image.tag}`,
  ),
  imagePullPolicy: slot(".Values.image.pullPolicy", ({ values }) => values.image.pullPolicy),
};

/** Where and how pods of the node run: in its network, and not the first to be evicted. */
export const onEveryWorker = {
  hostNetwork: true,
  dnsPolicy: "ClusterFirstWithHostNet",
  priorityClassName: "system-node-critical",
  imagePullSecrets,
  nodeSelector: slot(".Values.daemonset.nodeSelector", ({ values }) => values.daemonset.nodeSelector),
  tolerations: slot(".Values.daemonset.tolerations", ({ values }) => values.daemonset.tolerations),
  terminationGracePeriodSeconds: 30,
};

/** Own labels, which are also the selector, with those of the values. */
export function podLabels(
  own: Readonly<Record<string, string>>,
  { helm, read }: Slot<Readonly<Record<string, string>>>,
): Slot {
  const words = Object.entries(own)
    .flat()
    .map((word) => JSON.stringify(word));
  return slot(`merge (dict ${words.join(" ")}) ${helm}`, (facts) => ({ ...read(facts), ...own }));
}

export function hostPath(name: string, path: string, type: "Directory" | "DirectoryOrCreate") {
  return { name, hostPath: { path, type } };
}
