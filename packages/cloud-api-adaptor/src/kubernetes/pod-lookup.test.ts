import { describe, expect, it } from "vitest";
import { isPodOf } from "./pod-lookup.ts";

const createdMs = Date.parse("2026-05-01T12:00:00Z");
const pod = (change: { uid?: string; created?: string; nodeName?: string } = {}) =>
  ({
    metadata: {
      name: "web-0",
      uid: change.uid ?? "u1",
      resourceVersion: "1",
      creationTimestamp: change.created ?? "2026-05-01T11:59:00Z",
    },
    spec: { containers: [], nodeName: change.nodeName ?? "node-1" },
  }) as unknown as Parameters<typeof isPodOf>[1];

describe("whether a Pod is the one that the sandbox was made for", () => {
  it.each([
    ["older, on this node", {}, undefined, true],
    ["not yet said to be on a node", { nodeName: "" }, undefined, true],
    ["a clock that is ten seconds behind", { created: "2026-05-01T12:00:10Z" }, undefined, true],
    ["made after the sandbox: its successor", { created: "2026-05-01T12:05:00Z" }, undefined, false],
    ["on another node: its successor", { nodeName: "node-2" }, undefined, false],
    ["the UID that the journal has", { created: "2026-05-01T12:05:00Z" }, "u1", true],
    ["another UID than the journal has", {}, "u0", false],
  ])("%s", (_why, change, podUid, expected) => {
    const record = { times: { createdMs }, ...(podUid === undefined ? {} : { podUid }) };
    expect(isPodOf(record, pod(change), "node-1")).toBe(expected);
  });

  it("goes by age alone where the node's name is not known", () => {
    expect(isPodOf({ times: { createdMs } }, pod({ nodeName: "node-2" }), "")).toBe(true);
  });
});
