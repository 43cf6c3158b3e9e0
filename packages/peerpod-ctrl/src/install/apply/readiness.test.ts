import { describe, expect, it } from "vitest";
import type { LiveObject } from "./kinds.ts";
import { readinessOf } from "./readiness.ts";

const metadata = { name: "x", uid: "u", resourceVersion: "1", creationTimestamp: "", generation: 2 };
const daemonSet = (status: object, spec: object = {}): LiveObject => ({
  kind: "DaemonSet",
  metadata,
  spec: { template: { spec: { nodeSelector: { worker: "" } } }, ...spec },
  status: { observedGeneration: 2, ...status },
});
const onDelete = { updateStrategy: { type: "OnDelete" } };

describe("readiness", () => {
  it.each<[string, LiveObject, boolean, RegExp]>([
    ["of a ConfigMap", { kind: "ConfigMap", metadata }, true, /^nothing to wait for$/],
    [
      "of a Deployment that was not looked at yet",
      {
        kind: "Deployment",
        metadata,
        spec: { replicas: 1 },
        status: { observedGeneration: 1, availableReplicas: 1, updatedReplicas: 1 },
      },
      false,
      /1 of 1/,
    ],
    [
      "of a Deployment with replicas of the earlier version only",
      {
        kind: "Deployment",
        metadata,
        spec: { replicas: 2 },
        status: { observedGeneration: 2, availableReplicas: 2, updatedReplicas: 1 },
      },
      false,
      /1 of 2/,
    ],
    [
      "of a DaemonSet with a node to go",
      daemonSet({ desiredNumberScheduled: 2, numberAvailable: 1, updatedNumberScheduled: 2 }),
      false,
      /1 of 2 nodes/,
    ],
    [
      "of a DaemonSet that is being updated",
      daemonSet({ desiredNumberScheduled: 2, numberAvailable: 2, updatedNumberScheduled: 1 }),
      false,
      /2 of 2 nodes/,
    ],
    [
      "of a relay of the earlier version",
      daemonSet({ desiredNumberScheduled: 2, numberAvailable: 2, updatedNumberScheduled: 1 }, onDelete),
      true,
      /1 still of the earlier version: drain/,
    ],
    ["without nodes", daemonSet({ desiredNumberScheduled: 0 }), true, /kubectl label node <name> worker=/],
  ])("%s", (_what, object, ready, text) => {
    const found = readinessOf(object);
    expect(found.ready).toBe(ready);
    expect(found.text ?? "nothing to wait for").toMatch(text);
  });
});
