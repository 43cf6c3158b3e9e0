import { instanceTags } from "@peerpods/cloud-providers";
import { expect, it } from "vitest";
import { judgeInstance, type ClusterFacts } from "./judge-instance.ts";

const tags = instanceTags({
  clusterId: "c1",
  nodeName: "node-1",
  podNamespace: "default",
  podName: "web-0",
  sandboxId: "s1",
  attempt: 1,
});
const createdAt = Date.parse("2030-01-01T12:00:00Z");
const pod = { nodeName: "node-1", phase: "Running", createdAt: createdAt - 5_000, sandboxIds: ["s1"] };
const facts = (change: Partial<ClusterFacts> = {}): ClusterFacts => ({ pod, nodeExists: true, ...change });

it.each([
  ["its pod runs where it was made", facts(), "PodAlive"],
  ["its pod waits for a node", facts({ pod: { ...pod, nodeName: "", phase: "Pending" } }), "PodAlive"],
  ["nothing records the pod's sandbox", facts({ pod: { ...pod, sandboxIds: [] } }), "PodAlive"],
  ["clocks differ a little", facts({ pod: { ...pod, createdAt: createdAt + 30_000 } }), "PodAlive"],
  ["no pod", facts({ pod: undefined }), "PodGone"],
  ["a pod that has ended", facts({ pod: { ...pod, phase: "Succeeded" } }), "PodGone"],
  ["a pod that has failed", facts({ pod: { ...pod, phase: "Failed" } }), "PodGone"],
  ["no node, whatever is listed", facts({ nodeExists: false }), "NodeGone"],
  ["a pod of that name on another node", facts({ pod: { ...pod, nodeName: "node-2" } }), "PodReplaced"],
  [
    "a pod younger than the instance",
    facts({ pod: { ...pod, createdAt: createdAt + 61_000 } }),
    "PodReplaced",
  ],
  ["another sandbox of the pod", facts({ pod: { ...pod, sandboxIds: ["s2"] } }), "PodReplaced"],
] as const)("%s", (_why, cluster, expected) => {
  expect(judgeInstance({ tags, createdAt }, cluster)).toBe(expected);
});

it("judges by what there is when tags and times are missing", () => {
  expect(judgeInstance({ tags: {} }, facts({ nodeExists: undefined }))).toBe("PodAlive");
  expect(judgeInstance({ tags: {} }, { pod: undefined, nodeExists: undefined })).toBe("PodGone");
});
