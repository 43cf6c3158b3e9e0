import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instanceName } from "./instance-name.ts";
import { instanceTags, matchesTags, ownerTags, tagKeys } from "./instance-tags.ts";
import { checkToken, instanceToken } from "./instance-token.ts";

const sandboxId = "4ef7f83bbef5".padEnd(64, "0");

describe("instanceName", () => {
  it.each([
    ["a short id is used whole", "podtest", "123", 63, "podvm-podtest-123"],
    [
      "eight characters of the id",
      "nginx-5bddddbf56-7kfvf",
      sandboxId,
      63,
      "podvm-nginx-5bddddbf56-7kfvf-4ef7f83b",
    ],
    ["one dash per foreign code point", "Web.Ü😀_0", "AB:cd", 63, "podvm-web----0-ab-cd"],
    ["no limit", "p".repeat(100), sandboxId, 0, `podvm-${"p".repeat(100)}-4ef7f83b`],
    ["cut to 63", "p".repeat(49), sandboxId, 63, `podvm-${"p".repeat(48)}-4ef7f83b`],
    ["just fits", "p".repeat(48), sandboxId, 63, `podvm-${"p".repeat(48)}-4ef7f83b`],
    ["cut to 47", "p".repeat(99), sandboxId, 47, `podvm-${"p".repeat(32)}-4ef7f83b`],
  ])("%s", (_why, pod, id, maxLength, expected) => {
    expect(instanceName(pod, id, { maxLength })).toBe(expected);
  });

  it("refuses a limit without room", () => {
    expect(() => instanceName("pod", sandboxId, { maxLength: 14 })).toThrow(
      expect.objectContaining({ code: "invalid_request" }),
    );
  });
});

describe("instanceToken", () => {
  it("is short, plain and names sandbox and attempt", () => {
    expect(instanceToken(sandboxId, 12)).toMatch(/^4ef7f83b-[0-9a-f]{40}-a12$/);
  });

  it("always passes its own check, and different arguments never share one", () => {
    const argument = fc.tuple(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 999_999 }));
    fc.assert(
      fc.property(argument, argument, (one, other) => {
        checkToken(instanceToken(...one));
        const equal = one[0] === other[0] && one[1] === other[1];
        expect(instanceToken(...one) === instanceToken(...other)).toBe(equal);
      }),
    );
  });

  it.each([
    ["", 1],
    [sandboxId, 0],
    [sandboxId, 1.5],
    [sandboxId, 1_000_000],
  ])("refuses (%j, %d)", (id, attempt) => {
    expect(() => instanceToken(id, attempt)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });

  it.each(["", "A", "a b", "x".repeat(65), "a;b", "ä"])("checkToken refuses %j", (token) => {
    expect(() => checkToken(token)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });
});

describe("instanceTags", () => {
  const owner = {
    clusterId: "c1",
    nodeName: "node-1.example",
    podNamespace: "default",
    podName: "web-0",
    sandboxId,
    attempt: 3,
  };

  it("tells owner, attempt and token", () => {
    expect(instanceTags(owner)).toEqual({
      "peerpods-cluster": "c1",
      "peerpods-node": "node-1.example",
      "peerpods-namespace": "default",
      "peerpods-pod": "web-0",
      "peerpods-sandbox": sandboxId,
      "peerpods-attempt": "3",
      "peerpods-token": instanceToken(sandboxId, 3),
    });
  });

  it("leaves out what is not known", () => {
    expect(instanceTags({ ...owner, nodeName: "", podNamespace: "" })).not.toHaveProperty(tagKeys.node);
  });

  it("is found by the tags of its node and cluster, and by no other's", () => {
    const tags = instanceTags(owner);
    expect(matchesTags(tags, ownerTags({ clusterId: "c1" }))).toBe(true);
    expect(matchesTags(tags, ownerTags({ clusterId: "c1", nodeName: owner.nodeName }))).toBe(true);
    expect(matchesTags(tags, ownerTags({ clusterId: "c2" }))).toBe(false);
    expect(matchesTags(tags, ownerTags({ clusterId: "c1", nodeName: "node-2" }))).toBe(false);
  });

  it.each([
    ["no cluster", { clusterId: "" }],
    ["no sandbox", { sandboxId: "" }],
    ["a line break", { podName: "a\nb" }],
    ["a sign that Azure refuses", { nodeName: "a<b" }],
    ["257 characters", { clusterId: "c".repeat(257) }],
  ])("refuses %s", (_why, change) => {
    expect(() => instanceTags({ ...owner, ...change })).toThrow(
      expect.objectContaining({ code: "invalid_request" }),
    );
  });
});
