import { slot } from "../slot.ts";
import type { Part } from "./kube-object.ts";
import { labels } from "./names.ts";

/** The RuntimeClass that makes a pod a peer pod. kata-deploy may have made one already; then it is turned off here. */
export const runtimeClass: readonly Part[] = [
  {
    when: slot(".Values.runtimeClass.enabled", ({ values }) => values.runtimeClass.enabled),
    object: {
      apiVersion: "node.k8s.io/v1",
      kind: "RuntimeClass",
      metadata: {
        name: slot(".Values.runtimeClass.name", ({ values }) => values.runtimeClass.name),
        labels: labels("peerpods"),
      },
      handler: slot(".Values.runtimeClass.handler", ({ values }) => values.runtimeClass.handler),
      overhead: {
        podFixed: slot(".Values.runtimeClass.overhead", ({ values }) => values.runtimeClass.overhead),
      },
      scheduling: {
        nodeSelector: slot(
          ".Values.runtimeClass.nodeSelector",
          ({ values }) => values.runtimeClass.nodeSelector,
        ),
      },
    },
  },
];
