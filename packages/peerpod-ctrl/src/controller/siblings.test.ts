import { describe, expect, it } from "vitest";
import type { PeerPod } from "../api/peerpod.ts";
import { createSiblings } from "./siblings.ts";

function peerPod(name: string, change: Partial<PeerPod["metadata"]> & { ownerUid?: string } = {}): PeerPod {
  const { ownerUid = "pod-1", ...metadata } = change;
  return {
    apiVersion: "confidentialcontainers.org/v1alpha1",
    kind: "PeerPod",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      resourceVersion: "1",
      creationTimestamp: "2030-01-01T00:00:05Z",
      ...(ownerUid === ""
        ? {}
        : {
            ownerReferences: [
              // Another owner in front must not hide the Pod.
              { apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "other" },
              { apiVersion: "v1", kind: "Pod", name: "web-0", uid: ownerUid },
            ],
          }),
      ...metadata,
    },
    spec: {},
    status: {},
  };
}

const current = peerPod("current");

describe("older PeerPods of the same Pod", () => {
  it.each([
    ["made a second before", peerPod("a", { creationTimestamp: "2030-01-01T00:00:04Z" }), ["a"]],
    ["made within the same second", peerPod("a"), []],
    ["made later", peerPod("a", { creationTimestamp: "2030-01-01T00:00:06Z" }), []],
    ["of another Pod", peerPod("a", { creationTimestamp: "2030-01-01T00:00:04Z", ownerUid: "pod-2" }), []],
    [
      "of the same owner's UID in another namespace, which somebody has made up",
      peerPod("a", { creationTimestamp: "2030-01-01T00:00:04Z", namespace: "attacker" }),
      [],
    ],
    ["without owner", peerPod("a", { creationTimestamp: "2030-01-01T00:00:04Z", ownerUid: "" }), []],
    [
      "being deleted already",
      peerPod("a", { creationTimestamp: "2030-01-01T00:00:04Z", deletionTimestamp: "2030-01-01T00:00:05Z" }),
      [],
    ],
  ])("%s", (_why, other, expected) => {
    const siblings = createSiblings();
    siblings.apply({ type: "added", object: other });
    siblings.apply({ type: "added", object: current });
    expect(siblings.olderThan(current).map(({ metadata }) => metadata.name)).toEqual(expected);
  });

  it("forgets what is gone, and what has got another owner", () => {
    const siblings = createSiblings();
    const old = peerPod("a", { creationTimestamp: "2030-01-01T00:00:04Z" });
    siblings.apply({ type: "added", object: current });
    siblings.apply({ type: "added", object: old });
    const moved = peerPod("a", { creationTimestamp: "2030-01-01T00:00:04Z", ownerUid: "pod-2" });
    siblings.apply({ type: "updated", object: moved, old });
    expect(siblings.olderThan(current)).toEqual([]);
    siblings.apply({ type: "updated", object: old, old: moved });
    expect(siblings.olderThan(current)).toHaveLength(1);
    siblings.apply({ type: "deleted", object: old });
    expect(siblings.olderThan(current)).toEqual([]);
  });

  it("has nothing to compare for one without owner", () => {
    const siblings = createSiblings();
    const ownerless = peerPod("b", { ownerUid: "" });
    siblings.apply({ type: "added", object: ownerless });
    expect(siblings.olderThan(ownerless)).toEqual([]);
  });
});
